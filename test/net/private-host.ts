// A host of its own for ioamctl: what it pins and locks there is nobody else's, and can be looked at.
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { IoamctlError } from "../../src/errors.ts";
import { mapById, openNetns, queryTcx, withNetns } from "../../src/native/bpf-loader/index.ts";
import type { Netns } from "../lab/netns.ts";
import { Background, type RunResult, run } from "../lab/process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const IOAMCTL = `${ROOT}bin/ioamctl`;
const WITHOUT_TCX = `${ROOT}test/native/without-tcx.py`;
const WITHOUT_IOAM = `${ROOT}test/native/without-ioam.py`;
const ADDONS = `${ROOT}native/build/Release`;
const PINS = "/sys/fs/bpf/ioamctl";
const LOCKS = "/run/ioamctl";

/** What the host lacks, as seen from inside. */
export type Lack = "libbpf" | "addons";

const HIDE: Record<Lack, string> = {
  addons: `mount -t tmpfs none ${ADDONS}`,
  libbpf: `
    library=$(ldd ${ADDONS}/bpf-loader.node | sed -n 's,^.*libbpf.so.1 => \\([^ ]*\\)/.*,\\1,p')
    mount -t tmpfs none /mnt
    mkdir /mnt/upper /mnt/work
    mount -t overlay -o lowerdir=$library,upperdir=/mnt/upper,workdir=/mnt/work none $library
    rm $library/libbpf.so.1*`,
};

export interface CommandOptions {
  /** A command that `ioamctl` is started by, such as setpriv with its options. */
  by?: string[];
  /** Run it inside this namespace. */
  inside?: Netns;
  cwd?: string;
}

/** By `by`: a kernel that has no TCX. */
export const withoutTcx: string[] = ["python3", WITHOUT_TCX];

/** By `by`: a kernel that has no netlink family for IOAM, or none with events. */
export const withoutIoam: string[] = ["python3", WITHOUT_IOAM, "family"];
export const withoutIoamEvents: string[] = ["python3", WITHOUT_IOAM, "events"];

/** A mount namespace with a BPF file system and a /run/ioamctl of its own. */
export class PrivateHost {
  readonly #holder: Background;

  private constructor(holder: Background) {
    this.#holder = holder;
  }

  static async start(lacks?: Lack): Promise<PrivateHost> {
    const script = `
      set -e
      mount -t bpf none /sys/fs/bpf
      mkdir -p ${LOCKS}
      mount -t tmpfs none ${LOCKS}
      ${lacks === undefined ? "" : HIDE[lacks]}
      echo ready
      exec cat`;
    // "slave": namespaces made later on are to be seen in it, nothing of it outside.
    const args = ["--mount", "--propagation", "slave", "sh", "-c", script];
    const host = new PrivateHost(new Background("unshare", args));
    try {
      await host.#holder.until(/ready/);
    } catch (error) {
      await host.close();
      throw error;
    }
    return host;
  }

  #command(args: string[], o: CommandOptions): [string, string[]] {
    const inside = o.inside === undefined ? [] : [`--net=/run/netns/${o.inside.name}`];
    const enter = [`--mount=/proc/${this.#holder.pid}/ns/mnt`, ...inside];
    const where = o.cwd === undefined ? [] : [`--wd=${o.cwd}`];
    return ["nsenter", [...enter, ...where, ...(o.by ?? []), ...args]];
  }

  /** Runs any program here to its end. */
  async run(args: string[], o: CommandOptions = {}): Promise<RunResult> {
    return run(...this.#command(args, o), { check: false, timeout: 30_000 });
  }

  /** Runs `ioamctl` with these arguments to its end; its exit status does not throw. */
  async ioamctl(args: string[], o: CommandOptions = {}): Promise<RunResult> {
    return this.run([process.execPath, IOAMCTL, ...args], o);
  }

  /** Starts `ioamctl` with these arguments. */
  start(args: string[], o: CommandOptions = {}): Background {
    return new Background(...this.#command([process.execPath, IOAMCTL, ...args], o));
  }

  /** Runs `ioamctl`, which has to succeed without a word of complaint; what it printed. */
  async print(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.ioamctl(args);
    if (code !== 0 || stderr !== "") {
      throw new Error(`ioamctl ${args.join(" ")}: ${code}: ${stderr}${stdout}`);
    }
    return stdout;
  }

  /** The same with --json: the document. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.print(...args, "--json")) as T;
  }

  /** Pins, held locks, attachments, qdiscs and programs that ioamctl left here and in `netns`. */
  async leftovers(...netns: Netns[]): Promise<string[]> {
    const [files, ...others] = await Promise.all([this.#files(), ...netns.map(leftIn)]);
    return [...files, ...others.flat()];
  }

  /** Waits until nothing is left: the kernel frees programs a moment after their last holder. */
  async clean(...netns: Netns[]): Promise<void> {
    const deadline = Date.now() + 5000;
    for (;;) {
      const left = await this.leftovers(...netns);
      if (left.length === 0) return;
      if (Date.now() > deadline) throw new Error(`left behind: ${left.join(", ")}`);
      await delay(50);
    }
  }

  /** Pins and notes; of the locks those that somebody holds. */
  async #files(): Promise<string[]> {
    const script = `
      find ${PINS} 2>/dev/null
      for file in ${LOCKS}/*; do
        case $file in
          *.lock) flock -n "$file" true || echo "$file is held" ;;
          *'*') ;;
          *) echo "$file" ;;
        esac
      done`;
    const { stdout } = await this.run(["sh", "-c", script]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  async close(): Promise<void> {
    await this.#holder.stop("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The kernel's number of a namespace, by which its pins and locks are named. */
export function inodeOf(netns: Netns): number {
  const handle = openNetns(netns.name);
  handle.close();
  return handle.inode;
}

async function leftIn(netns: Netns): Promise<string[]> {
  const [links, qdiscs, programs] = await Promise.all([
    netns.ipJson<{ ifname: string; ifindex: number }[]>("link"),
    run("tc", ["-n", netns.name, "qdisc", "show"]),
    programsOf(netns),
  ]);
  const handle = openNetns(netns.name);
  const hooks = withNetns(handle, () =>
    links.flatMap(({ ifname, ifindex }) =>
      (["ingress", "egress"] as const).flatMap((direction) =>
        queryTcx(ifindex, direction).map((one) => `${ifname}: TCX program ${one.programId}`),
      ),
    ),
  );
  handle.close();
  const clsact = qdiscs.stdout.split("\n").filter((line) => line.includes("clsact"));
  return [...hooks, ...clsact, ...programs.map(({ id }) => `program ${id}`)];
}

/** A program in the kernel, as `bpftool` shows it. */
export interface Program {
  id: number;
  name: string;
  map_ids?: number[];
}

/** The programs in the kernel that were loaded to meter a namespace: it is named in their constants. */
export async function programsOf(netns: Netns): Promise<Program[]> {
  const { stdout } = await run("bpftool", ["-j", "prog", "show"]);
  const programs = (JSON.parse(stdout) as Program[]).filter(({ name }) =>
    name?.startsWith("ioam_"),
  );
  return programs.filter(({ map_ids = [] }) => map_ids.some((id) => names(id, netns.name)));
}

/** Whether a map holds constants that name a namespace. */
function names(map: number, netns: string): boolean {
  try {
    const opened = mapById(map);
    const constants = opened.name.endsWith(".rodata")
      ? opened.lookup(new Uint8Array(4))
      : undefined;
    opened.close();
    return constants !== undefined && Buffer.from(constants).includes(`${netns}\0`);
  } catch (error) {
    // Freed since it was listed.
    if (error instanceof IoamctlError) return false;
    throw error;
  }
}
