// A router, a host of its own for ioamctl, and what most tests of commands ask of the two.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onTestFailed, onTestFinished } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Background } from "../lab/process.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { type Station, station } from "../lab/station.ts";
import { PrivateHost } from "./private-host.ts";
import type { StatusJson } from "./status-json.ts";

export class CommandLab {
  readonly host: PrivateHost;
  readonly lab: RouterLab;
  readonly folder: Folder;
  /** Sends from the source. */
  readonly sender: Station;
  /** Of the router's namespace. */
  readonly name: string;
  /** The option that names it. */
  readonly netns: string[];

  private constructor(host: PrivateHost, lab: RouterLab, folder: Folder) {
    this.host = host;
    this.lab = lab;
    this.folder = folder;
    this.sender = station(lab.source);
    this.name = lab.router.name;
    this.netns = ["--netns", this.name];
  }

  static async start(): Promise<CommandLab> {
    const parts = [PrivateHost.start(), router(), temporaryFolder("commands")] as const;
    return new CommandLab(...(await Promise.all(parts)));
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.lab.close(), this.host.close(), this.folder.remove()]);
  }

  /** A test that fails must not leave anything to the next. */
  cleanAfterFailure(): void {
    onTestFailed(async () => {
      await this.host.ioamctl(["detach", "--all"]);
    });
  }

  /** A packet of each of these flows; the router forwards them all. */
  async send(...flowIds: number[]): Promise<void> {
    const packets = flowIds.map((flowId) => dexPacket({ flowId, sequence: 1 }));
    await this.sender.send("src0", ...packets.map(packetOctets));
  }

  async status(): Promise<StatusJson> {
    return this.host.json<StatusJson>("status");
  }

  /** What status says once so many packets with a DEX option were seen. */
  async counted(dexPackets: number): Promise<StatusJson> {
    return eventually(`${dexPackets} packets`, async () => {
      const status = await this.status();
      return status.counters.dexPackets === dexPackets && status;
    });
  }

  /** "in0 ingress" of every attachment. */
  async attached(): Promise<string[]> {
    const { attachments } = await this.status();
    return attachments.map((one) => `${one.interfaceName} ${one.direction}`).sort();
  }

  /** Writes the agent's configuration, ROUTER standing for the namespace's name; its path. */
  async configure(text: string): Promise<string> {
    const path = join(this.folder.path, "agent.yaml");
    await writeFile(`${path}.new`, text.replace(/\bROUTER\b/g, this.name));
    await rename(`${path}.new`, path);
    return path;
  }

  /** Starts `ioamctl agent` with these arguments; it runs when this returns. */
  async agent(...args: string[]): Promise<Background> {
    return this.agentBy([], ...args);
  }

  /** The same, started by that command: see CommandOptions. */
  async agentBy(by: string[], ...args: string[]): Promise<Background> {
    const started = this.host.start(["agent", ...args], { by });
    onTestFinished(async () => {
      await started.stop("SIGKILL");
    });
    this.cleanAfterFailure();
    await started.until(/"msg":"running"/);
    return started;
  }
}

/** A line that an agent logs. */
export type LogLine = { level: string; msg: string } & Record<string, unknown>;

export function jsonLines<T>(text: string): T[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}

/** What an agent logged beside information. */
export function warnings(of: Background): LogLine[] {
  return jsonLines<LogLine>(of.errors).filter(({ level }) => level !== "info");
}
