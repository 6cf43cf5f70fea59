// What the agent does in one network namespace: lock, meter, attachments, rotation.
import type { Logger } from "pino";
import type { Attachment, ExportDestination, Meter, MeterOptions } from "../../meter/index.ts";
import { isNetns } from "../netns-name.ts";
import { type IgnoringSource, ignoredByMeter } from "../options/ignored-packets.ts";
import type { Sink } from "../sink.ts";
import { AgentLock } from "./agent-lock.ts";
import { attachAll, isAt, isPoint, type ObservationPoint, openAttached } from "./attach-all.ts";
import { withMeterLock } from "./meter-lock.ts";
import { Rotator } from "./rotator.ts";

/** A network namespace that the agent meters. */
export class MeteredNetns {
  static #opened = 0;
  readonly inode: number;
  readonly #meter: Meter;
  readonly #adopted: boolean;
  readonly #lock: AgentLock;
  readonly #log: Logger;
  readonly #rotator: Rotator;
  #points: readonly ObservationPoint[];
  #made: Attachment[];
  #missing: Set<ObservationPoint> = new Set();
  #isGone = false;
  /** Tells its counters from those of one that had or will have the same inode. */
  readonly #number: number = ++MeteredNetns.#opened;
  #lastIgnored: IgnoringSource | undefined;

  private constructor(
    meter: Meter,
    adopted: boolean,
    lock: AgentLock,
    points: readonly ObservationPoint[],
    made: Attachment[],
    sinks: () => readonly Sink[],
    log: Logger,
  ) {
    this.inode = meter.netnsInode;
    this.#meter = meter;
    this.#adopted = adopted;
    this.#lock = lock;
    this.#points = points;
    this.#made = made;
    this.#log = log;
    this.#rotator = new Rotator(meter, sinks, log);
    lock.write("running", made);
  }

  /**
   * Takes the lock, opens or makes the meter and attaches it to `points`. On failure nothing is left
   * behind. Attachments that a killed agent made count as made by this one.
   */
  static async open(
    inode: number,
    options: MeterOptions,
    points: readonly ObservationPoint[],
    sinks: () => readonly Sink[],
    log: Logger,
  ): Promise<MeteredNetns> {
    const lock = AgentLock.acquire(inode);
    try {
      const { meter, attached, adopted } = await withMeterLock(inode, () =>
        openAttached(options, points),
      );
      const created = attached.filter((one) => one.created).map((one) => one.attachment);
      const inherited = meter.attachments().filter((one) => lock.inherited.some(isSame(one)));
      const made = [...inherited, ...created];
      return new MeteredNetns(meter, adopted, lock, points, made, sinks, log);
    } catch (error) {
      lock.abandon();
      throw error;
    }
  }

  /**
   * Begins to export every `period` milliseconds. `onGone`: the network namespace was deleted or
   * somebody removed the meter; `close` then exports what is left.
   */
  start(period: number, onGone: () => void): void {
    this.#rotator.start(period, () => this.#look(onGone));
    const { netns, maxFlows } = this.#meter;
    const attachments = this.#meter.attachments();
    const interfaces = attachments
      .filter((attachment) => this.#points.some((point) => isAt(attachment, point)))
      .map((attachment) => ({
        name: attachment.interfaceName,
        direction: attachment.direction,
        hook: attachment.hook,
        adopted: !this.#made.some(isSame(attachment)),
      }));
    this.#log.info({ netns, adopted: this.#adopted, maxFlows, interfaces }, "metering");
  }

  /** Changes the time between exports, milliseconds. */
  setPeriod(period: number, onGone: () => void): void {
    this.#rotator.setPeriod(period, () => this.#look(onGone));
  }

  /** What its counters say, or said last, of packets that should have been metered and were not. */
  ignored(): IgnoringSource {
    if (this.#lastIgnored !== undefined) return this.#lastIgnored;
    const source = ignoredByMeter(`meter ${this.#number}`, this.netns, this.#meter.counters());
    return { ...source, isNew: !this.#adopted };
  }

  /** Packets to these collectors are counted, and no longer metered. */
  leaveOutExports(destinations: readonly ExportDestination[]): void {
    this.#meter.setExportDestinations(destinations);
  }

  /** Attaches to further points, all or none; returns what `keepOnly` needs to take it back. */
  async add(points: readonly ObservationPoint[]): Promise<readonly ObservationPoint[]> {
    const before = this.#points;
    const attached = await withMeterLock(this.inode, () => attachAll(this.#meter, points));
    this.#points = [...before, ...points.filter((point) => !before.some(isPoint(point)))];
    this.#made.push(...attached.filter((one) => one.created).map((one) => one.attachment));
    this.#missing.clear();
    this.#lock.write("running", this.#made);
    return before;
  }

  /** Lets go of all other points: what the agent attached there is detached. */
  async keepOnly(points: readonly ObservationPoint[]): Promise<void> {
    const isKept = (attachment: Attachment): boolean => points.some((p) => isAt(attachment, p));
    await this.#detach(this.#made.filter((attachment) => !isKept(attachment)));
    this.#points = points;
    this.#made = this.#made.filter(isKept);
    this.#lock.write("running", this.#made);
  }

  /**
   * Exports everything once more and ends. With "detach" the agent's attachments go first, so that
   * nothing is metered behind the last export, and the meter too unless others still use it or flows
   * are left in it. Rejects when something could not be exported: then it stays in the table.
   */
  async close(onExit: "detach" | "keep"): Promise<void> {
    this.#rotator.stop();
    this.#lock.write("stopping", this.#made);
    // What has our pins' names by now is not ours.
    const detaching = onExit === "detach" && this.#meter.isPinned();
    if (detaching) await this.#detach(this.#made);
    try {
      await this.#rotator.finish();
      this.#meter.setExportDestinations([]);
      if (detaching) await withMeterLock(this.inode, () => this.#removeIfUnused());
    } finally {
      // With the table its counters go: here they are for the last time.
      this.#lastIgnored = this.ignored();
      const counters = this.#meter.counters();
      this.#log.info({ netns: this.#meter.netns, ...counters }, "no longer metering");
      this.#meter.close();
      this.#lock.release();
    }
  }

  /** Resolves when no rotation runs. */
  async idle(): Promise<void> {
    await this.#rotator.idle();
  }

  /** Undoes `open` before `start`. */
  async withdraw(): Promise<void> {
    await this.#detach(this.#made);
    if (!this.#adopted) await withMeterLock(this.inode, () => this.#meter.remove());
    this.#meter.close();
    this.#lock.release();
  }

  get netns(): string | null {
    return this.#meter.netns;
  }

  /** Whether its network namespace was deleted, or another one has its name; says so once. */
  isNetnsGone(): boolean {
    const { netns } = this.#meter;
    if (netns === null || isNetns(netns, this.inode)) return false;
    if (!this.#isGone) {
      this.#log.warn({ netns }, "netns was deleted: its last flows are exported");
    }
    this.#isGone = true;
    return true;
  }

  async #detach(attachments: readonly Attachment[]): Promise<void> {
    await withMeterLock(this.inode, () => {
      for (const { interfaceName, direction } of attachments) {
        this.#meter.detach(interfaceName, direction);
      }
    });
  }

  #removeIfUnused(): void {
    if (this.#meter.attachments().length === 0 && this.#meter.flows() === 0) this.#meter.remove();
  }

  /** Says once what is no longer there. False when the whole network namespace is gone. */
  #look(onGone: () => void): boolean {
    const { netns } = this.#meter;
    if (this.isNetnsGone()) {
      onGone();
      return false;
    }
    if (!this.#meter.isPinned()) {
      this.#log.warn({ netns }, "somebody removed the meter: its last flows are exported");
      onGone();
      return false;
    }
    const attachments = this.#meter.attachments();
    for (const point of this.#points) {
      if (attachments.some((attachment) => isAt(attachment, point))) {
        this.#missing.delete(point);
      } else if (!this.#missing.has(point)) {
        this.#missing.add(point);
        this.#log.warn(
          { netns, ...point },
          "no longer attached: the interface is gone or somebody detached it; going on without it",
        );
      }
    }
    return true;
  }
}

function isSame(one: Attachment): (other: Attachment) => boolean {
  return (other) =>
    one.ifindex === other.ifindex &&
    one.direction === other.direction &&
    one.programId === other.programId;
}
