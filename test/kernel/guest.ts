// Another kernel under QEMU, without hardware support: it runs a script on the host's files, and ends.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../lab/guard.ts";
import { Background, type RunResult } from "../lab/process.ts";
import { debianKernel } from "./debian-kernel.ts";
import { initramfs, SHARED } from "./initramfs.ts";

/** Milliseconds. Emulation takes ten times as long as the machine, and more when that is busy. */
const LIMIT = 900_000;

/**
 * `step NAME COMMAND…` keeps what a command says, and goes on whatever it answers; `begin` does so
 * in the background, up to `end NAME`, which sends it SIGTERM. `until_says NAME TEXT` waits for
 * its error output.
 */
const PRELUDE = `
cd ${SHARED}
step() {
  name=$1
  shift
  "$@" >"$name.out" 2>"$name.err"
  echo $? >"$name.code"
}
begin() {
  name=$1
  shift
  "$@" >"$name.out" 2>"$name.err" &
  echo $! >"$name.pid"
}
until_says() {
  for _ in $(seq 600); do
    grep -q "$2" "$1.err" && return
    sleep 0.5
  done
}
end() {
  kill "$(cat "$1.pid")"
  wait "$(cat "$1.pid")"
  echo $? >"$1.code"
}
mount -t bpf bpf /sys/fs/bpf
ip link set lo up
`;

export interface GuestOptions {
  /** Further parameters of the kernel. */
  parameters?: string;
  /** Shell commands; see PRELUDE. */
  script: string;
}

export interface GuestRun {
  /** As `uname -r` says. */
  release: string;
  /** What became of each step, also of those in the background. */
  steps: Map<string, Pick<RunResult, "code" | "stdout" | "stderr">>;
}

/** Boots the kernel, runs the script as root, and waits for the end. */
export async function inGuest({ parameters = "", script }: GuestOptions): Promise<GuestRun> {
  const kernel = await debianKernel();
  const folder = await temporaryFolder("guest");
  try {
    const shared = join(folder.path, "shared");
    const log = join(folder.path, "console");
    await mkdir(shared);
    await writeFile(join(shared, "script"), PRELUDE + script);
    const share = (tag: string, path: string, more = "") => [
      "-fsdev",
      `local,id=${tag},path=${path},security_model=none${more}`,
      "-device",
      `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
    ];
    const qemu = new Background("qemu-system-x86_64", [
      ...["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "2G"],
      ...["-display", "none", "-nodefaults", "-no-reboot", "-serial", `file:${log}`],
      ...["-kernel", kernel.image, "-initrd", await initramfs(kernel, folder.path)],
      ...["-append", `console=ttyS0 quiet panic=-1 oops=panic ${parameters}`],
      ...share("host", "/", ",readonly=on,multidevs=remap"),
      ...share("shared", shared),
    ]);
    const limit = setTimeout(() => qemu.child.kill("SIGKILL"), LIMIT);
    const { code } = await qemu.ended;
    clearTimeout(limit);
    if (code !== 0) {
      const said = await readFile(log, "utf8").catch(() => "");
      throw new Error(`the guest did not end by itself: ${qemu.log}${said}`);
    }
    return { release: kernel.release, steps: await stepsOf(shared, script) };
  } finally {
    await folder.remove();
  }
}

async function stepsOf(shared: string, script: string): Promise<GuestRun["steps"]> {
  const names = [...script.matchAll(/^(?:step|begin) (\S+)/gm)].map(([, name]) => name!);
  const read = (file: string) => readFile(join(shared, file), "utf8").catch(() => "");
  const results = names.map(async (name) => {
    const [stdout, stderr, code] = await Promise.all(
      ["out", "err", "code"].map((kind) => read(`${name}.${kind}`)),
    );
    return [name, { code: code === "" ? null : Number(code), stdout: stdout!, stderr: stderr! }];
  });
  return new Map((await Promise.all(results)) as [string, RunResult][]);
}
