// Network namespaces that were deleted while they were metered: metered again once they are back.
import type { Logger } from "pino";
import { interfaceIndex, openNetns, withNetns } from "../../native/bpf-loader/index.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import { LimitedLog } from "../limited-log.ts";
import { netnsIdentity } from "../netns-name.ts";
import { isPoint, type ObservationPoint } from "./attach-all.ts";
import { meteredNames, type WantedNetns, wantedBy } from "./wanted-netns.ts";

/** What is metered, by the kernel's number of the network namespace. */
export interface MeteredPlaces {
  has(inode: number): boolean;
  /** Begins to meter. */
  open(inode: number, wanted: WantedNetns): Promise<void>;
  /** Attaches to further points. */
  add(inode: number, points: readonly ObservationPoint[]): Promise<void>;
}

/** Goes over from a network namespace to the next one of the same name. */
export class ReturningNetns {
  readonly #places: MeteredPlaces;
  readonly #log: Logger;
  readonly #troubles: LimitedLog;
  /** By name: the one whose meter somebody removed, and that is therefore left alone. */
  readonly #left: Map<string, string> = new Map();
  /** By inode: where interfaces were missing when the network namespace was back. */
  readonly #lacking: Map<number, readonly ObservationPoint[]> = new Map();

  constructor(places: MeteredPlaces, log: Logger) {
    this.#places = places;
    this.#log = log;
    this.#troubles = new LimitedLog(log);
  }

  /** What has that name now is not to be metered again; another one of that name is. */
  leave(netns: string): void {
    const identity = netnsIdentity(netns);
    if (identity !== undefined) this.#left.set(netns, identity);
  }

  /** Whether something that `config` names is not there, and may come. */
  awaits(config: AgentConfig): boolean {
    return [...meteredNames(config)].some(
      (netns) => netns !== undefined && !this.#isLeft(netns, netnsIdentity(netns)),
    );
  }

  /** Begins to meter what is back, as far as its interfaces are there. Never rejects. */
  async look(config: AgentConfig): Promise<void> {
    const names = meteredNames(config);
    for (const inode of this.#lacking.keys()) {
      if (!this.#places.has(inode)) this.#lacking.delete(inode);
    }
    try {
      for (const [inode, one] of wantedBy(config, names)) await this.#lookAt(inode, one);
    } catch (error) {
      const { message } = error as Error;
      this.#troubles.warn(message, { err: error }, "looking for a netns failed: trying on");
    }
  }

  async #lookAt(inode: number, wanted: WantedNetns): Promise<void> {
    const { netns } = wanted.options;
    if (netns === undefined) return;
    try {
      if (this.#places.has(inode)) await this.#complete(inode, netns, wanted);
      else if (!this.#isLeft(netns, netnsIdentity(netns))) await this.#takeUp(inode, netns, wanted);
    } catch (error) {
      const { message } = error as Error;
      this.#troubles.warn(message, { netns, err: error }, "netns is not metered yet: trying on");
    }
  }

  async #takeUp(inode: number, netns: string, { options, points }: WantedNetns): Promise<void> {
    const { present, missing } = sorted(netns, points);
    if (present.length === 0) {
      const what = "netns is back, but none of its interfaces: waiting for them";
      this.#troubles.warn(`bare ${netns}`, { netns }, what);
      return;
    }
    await this.#places.open(inode, { options, points: present });
    this.#left.delete(netns);
    this.#log.info({ netns }, "netns is back: metering goes on");
    if (missing.length === 0) return;
    this.#lacking.set(inode, missing);
    const interfaces = [...new Set(missing.map(({ interfaceName }) => interfaceName))];
    this.#log.warn({ netns, interfaces }, "interfaces are not there yet: waiting for them");
  }

  /** Attaches to what was missing, is still wanted, and is there now. */
  async #complete(inode: number, netns: string, wanted: WantedNetns): Promise<void> {
    const lacking = this.#lacking.get(inode);
    if (lacking === undefined) return;
    const points = wanted.points.filter((point) => lacking.some(isPoint(point)));
    const { present, missing } = sorted(netns, points);
    if (present.length === 0) return;
    await this.#places.add(inode, present);
    this.#log.info({ netns, points: present }, "attached");
    if (missing.length > 0) this.#lacking.set(inode, missing);
    else this.#lacking.delete(inode);
  }

  #isLeft(netns: string, identity: string | undefined): boolean {
    return identity !== undefined && this.#left.get(netns) === identity;
  }
}

/** Points whose interface is there, and those whose interface is not. */
function sorted(
  netns: string,
  points: readonly ObservationPoint[],
): { present: ObservationPoint[]; missing: ObservationPoint[] } {
  const handle = openNetns(netns);
  try {
    const isThere = withNetns(handle, () =>
      points.map(({ interfaceName }) => interfaceIndex(interfaceName) !== 0),
    );
    return {
      present: points.filter((_, i) => isThere[i]),
      missing: points.filter((_, i) => !isThere[i]),
    };
  } finally {
    handle.close();
  }
}
