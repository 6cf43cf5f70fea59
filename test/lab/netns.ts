// Network namespaces with names of their own, removed whatever happens.
import { randomBytes } from "node:crypto";
import { guarded, released } from "./guard.ts";
import { Background, type RunOptions, type RunResult, run } from "./process.ts";

/**
 * Set before any device appears: no autoconfigured address, no duplicate address detection, no
 * solicitations, so that a device carries no packet that a test did not send.
 */
const QUIET = {
  "net.ipv6.conf.default.addr_gen_mode": 1,
  "net.ipv6.conf.default.accept_dad": 0,
  "net.ipv6.conf.default.dad_transmits": 0,
  "net.ipv6.conf.default.accept_ra": 0,
  "net.ipv6.conf.default.autoconf": 0,
  "net.ipv6.conf.default.router_solicitations": 0,
};

export class Netns {
  readonly name: string;
  readonly #children: Set<Background> = new Set();
  #closed = false;

  constructor(name: string) {
    this.name = name;
  }

  /** Runs a program in the namespace to its end. */
  async run(
    command: string,
    args: string[],
    o: Omit<RunOptions, "netns"> = {},
  ): Promise<RunResult> {
    return run(command, args, { ...o, netns: this.name });
  }

  /** Starts a program in the namespace; it is killed with the namespace at the latest. */
  start(command: string, args: string[], o: Omit<RunOptions, "netns"> = {}): Background {
    const child = new Background(command, args, { ...o, netns: this.name });
    this.#children.add(child);
    void child.ended.then(() => this.#children.delete(child));
    return child;
  }

  /** Lines of commands for `ip` in the namespace. */
  async ip(...lines: string[]): Promise<void> {
    await run("ip", ["-n", this.name, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  }

  /** What `ip -j …` answers. */
  async ipJson<T>(...args: string[]): Promise<T> {
    const { stdout } = await run("ip", ["-n", this.name, "-j", ...args]);
    return JSON.parse(stdout || "[]") as T;
  }

  /** Writes system controls of the namespace. */
  async sysctl(values: Record<string, string | number>): Promise<void> {
    const args = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    await this.run("sysctl", ["-qw", ...args]);
  }

  /** Switches features of a device, as `ethtool -K` names them. */
  async features(device: string, features: Record<string, boolean>): Promise<void> {
    const args = Object.entries(features).flatMap(([name, on]) => [name, on ? "on" : "off"]);
    await this.run("ethtool", ["-K", device, ...args]);
  }

  /** Kills what was started in the namespace and removes it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#children].map((child) => child.stop("SIGKILL")));
    await run("ip", ["netns", "del", this.name]);
    released("netns", this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** What the names of one test's namespaces begin with. */
export function netnsPrefix(): string {
  return `ioamt-${randomBytes(3).toString("hex")}`;
}

/** Makes a namespace named `PREFIX-ROLE`, loopback up, quiet; with `prefix` left out a random one. */
export async function createNetns(role: string, prefix: string = netnsPrefix()): Promise<Netns> {
  const name = `${prefix}-${role}`;
  guarded("netns", name);
  await run("ip", ["netns", "add", name]);
  const netns = new Netns(name);
  try {
    await netns.sysctl(QUIET);
    await netns.ip("link set lo up");
  } catch (error) {
    await netns.close();
    throw error;
  }
  return netns;
}
