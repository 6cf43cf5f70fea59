// Sends messages over a link until they are taken: announcements first, in order, paced, over lost sessions.
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { IoamctlError } from "../../errors.ts";
import type { Destination } from "../transport/destination.ts";
import type { Transport } from "../transport/transport.ts";
import type { DomainCounters, SessionCounters } from "./counters.ts";
import { asIoamctlError, Link, sessionClosed } from "./link.ts";
import type { Outgoing } from "./outgoing.ts";
import { Pacer } from "./pacer.ts";

/** What a sender asks of its owner. */
export interface SenderOptions {
  readonly destination: Destination;
  /** Bits a second, IP and UDP headers included. */
  readonly maxRate: number | undefined;
  readonly counters: SessionCounters;
  /** Milliseconds after which a transport that may lose messages gets the announcements again. */
  readonly refresh: number;
  /** Throws when the messages cannot be sent over that transport: then there is no session. */
  check(transport: Transport): void;
  /** The messages to go ahead of all others; `isNew`: the session begins. Must not throw. */
  announcements(transport: Transport, isNew: boolean): readonly Outgoing[];
  /** The announcements were sent, or at least tried. */
  announced(): void;
  /** The link's state has changed. */
  changed(): void;
}

/** What became of messages. */
export interface Delivery {
  /** Octets of the messages that the transport took, from the first on. */
  readonly taken: number;
  /** Why it did not take the rest. */
  readonly error: IoamctlError | undefined;
}

/** How often the announcements go ahead of the first messages: any one datagram may be lost. */
const FIRST_ANNOUNCEMENTS = 2;

/** Milliseconds that a timer may be early by: it counts from where the event loop's turn began. */
const TIMER_EARLY = 100;

/** How often a send is tried again: its error may be that of an earlier datagram. */
const RETRIES = 4;

/** Calls of `deliver` and `announce` must not overlap; `close` may come at any time. */
export class Sender {
  readonly link: Link;
  readonly #options: SenderOptions;
  readonly #counters: SessionCounters;
  readonly #pacer: Pacer | undefined;
  readonly #closing = new AbortController();
  /** Data records that were sent before, by observation domain. */
  readonly #sequences = new Map<number, number>();
  readonly #domains = new Map<number, DomainCounters>();
  /** Whose session sequence numbers and announcements are. */
  #transport: Transport | undefined;
  #firstAnnouncements = 0;
  /** When it was announced last: steady milliseconds, and the export time in Unix seconds. */
  #announcedAt = Number.NEGATIVE_INFINITY;
  #announcedTime = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#counters = options.counters;
    this.#pacer = options.maxRate === undefined ? undefined : new Pacer(options.maxRate);
    this.link = new Link(options.destination, {
      opened: (transport) => {
        options.check(transport);
        this.#counters.sessions++;
      },
      failed: () => {
        this.#counters.connectionFailures++;
      },
      changed: () => options.changed(),
    });
  }

  /** Whether the present session has had its announcements. */
  get hasAnnounced(): boolean {
    return this.#transport !== undefined && this.#transport === this.link.transport;
  }

  /** What was sent in an observation domain so far. */
  sentIn(domain: number): DomainCounters {
    const known = this.#domains.get(domain);
    if (known !== undefined) return known;
    const counters = { messages: 0, records: 0, octets: 0 };
    this.#domains.set(domain, counters);
    return counters;
  }

  /** How many packets of messages of that length to send at once, so that the rate stays even. */
  batchSize(messageLength: number, transport: Transport): number {
    return (
      this.#pacer?.batchSize(messageLength + transport.headerLength) ?? Number.POSITIVE_INFINITY
    );
  }

  /**
   * Sends messages until the transport has taken them all, over as many sessions as it takes, or until
   * sending fails again and again within one. Counts both, but for the records not sent. Never rejects.
   */
  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const { octets } = outgoing;
    let from = 0;
    let failures = 0;
    while (from < octets) {
      const transport = await this.#ready();
      if (transport === undefined) return this.#dropped(outgoing, from, sessionClosed());
      try {
        const taken = await this.#sendOnce(transport, outgoing, from);
        if (taken === 0) {
          await this.link.change(undefined, transport.writable());
          continue;
        }
        this.#count(transport, outgoing, from, from + taken);
        from += taken;
        failures = 0;
      } catch (error) {
        if (await this.#hasEnded(transport)) continue;
        const failure = asIoamctlError(error);
        if (failures++ === RETRIES) return this.#dropped(outgoing, from, failure);
        // It tells of an earlier datagram: a collector that started since then lacks the templates.
        if (this.#isRefusal(failure) && failures === 1) await this.#announce(transport);
      }
    }
    return { taken: from, error: undefined };
  }

  /** Sends the announcements if it is time, and there is a session. Never rejects. */
  async announceIfDue(): Promise<void> {
    const { transport } = this.link;
    if (transport !== undefined && this.#isDue(transport)) await this.#announce(transport);
  }

  /** What was announced may be lost: the next messages have it before them once more. */
  repeatAnnouncements(): void {
    if (this.#transport?.reliable === false) this.#announcedAt = Number.NEGATIVE_INFINITY;
  }

  /** Sends the announcements now, if there is a session. Never rejects. */
  async announce(): Promise<void> {
    const { transport } = this.link;
    if (transport !== undefined) await this.#announce(transport);
  }

  /** Ends the link: what is being sent is dropped and counted. Safe to repeat. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.link.close();
  }

  /** The transport of a session that knows what it has to; undefined: closed. */
  async #ready(): Promise<Transport | undefined> {
    for (;;) {
      const { transport, state } = this.link;
      if (state === "closed") return undefined;
      if (transport === undefined) await this.link.change();
      else if (!this.#isDue(transport) || (await this.#announce(transport))) return transport;
    }
  }

  #isDue(transport: Transport): boolean {
    if (transport !== this.#transport || this.#firstAnnouncements > 0) return true;
    // Not all of it was sent the last time.
    if (this.#announcedAt === Number.NEGATIVE_INFINITY) return true;
    // The clock was set back: no data may be older than its template.
    if (unixSeconds() < this.#announcedTime) return true;
    const age = performance.now() - this.#announcedAt;
    const { refresh } = this.#options;
    return !transport.reliable && age >= refresh - Math.min(TIMER_EARLY, refresh / 10);
  }

  /** False: the session has ended. */
  async #announce(transport: Transport): Promise<boolean> {
    if (transport !== this.#transport) {
      this.#transport = transport;
      this.#sequences.clear();
      this.#firstAnnouncements = transport.reliable ? 1 : FIRST_ANNOUNCEMENTS;
    }
    const isNew = this.#firstAnnouncements > 0;
    if (isNew) this.#firstAnnouncements--;
    this.#options.announced();
    this.#announcedAt = performance.now();
    this.#announcedTime = unixSeconds();
    for (const message of this.#options.announcements(transport, isNew)) {
      if (!(await this.#tell(transport, message))) {
        if (await this.#hasEnded(transport)) return false;
        // Not sent: again with the next messages.
        this.#announcedAt = Number.NEGATIVE_INFINITY;
      }
    }
    return this.link.transport === transport;
  }

  /** Sends one message in this session or not at all. */
  async #tell(transport: Transport, message: Outgoing): Promise<boolean> {
    for (let failures = 0; ; ) {
      if (this.link.transport !== transport) return false;
      try {
        const taken = await this.#sendOnce(transport, message, 0);
        if (taken > 0) {
          this.#count(transport, message, 0, taken);
          return true;
        }
        await this.link.change(undefined, transport.writable());
      } catch (error) {
        this.#isRefusal(asIoamctlError(error));
        if (failures++ < RETRIES) continue;
        this.#counters.droppedMessages++;
        return false;
      }
    }
  }

  async #sendOnce(transport: Transport, outgoing: Outgoing, from: number): Promise<number> {
    const { bytes, octets, messageLength, observationDomainId } = outgoing;
    const delay = this.#pacer?.delay(performance.now()) ?? 0;
    if (delay > 0) await sleep(Math.ceil(delay), undefined, { signal: this.#closing.signal });
    outgoing.stamp(from, unixSeconds(), this.#sequences.get(observationDomainId) ?? 0);
    return transport.send(bytes, from, octets - from, messageLength);
  }

  #count(transport: Transport, outgoing: Outgoing, from: number, to: number): void {
    const { observationDomainId: domain, messageLength } = outgoing;
    const counters = this.#counters;
    const messages = Math.ceil((to - from) / messageLength);
    const records = outgoing.recordsBefore(to) - outgoing.recordsBefore(from);
    counters.messages += messages;
    counters.octets += to - from;
    const inDomain = this.sentIn(domain);
    inDomain.messages += messages;
    inDomain.octets += to - from;
    if (outgoing.isAnnouncement) {
      counters.templateMessages += messages;
      counters.optionsRecords += records;
    } else {
      counters.records += records;
      inDomain.records += records;
    }
    this.#sequences.set(domain, ((this.#sequences.get(domain) ?? 0) + records) >>> 0);
    this.#pacer?.charge(to - from + messages * transport.headerLength, performance.now());
  }

  #dropped(outgoing: Outgoing, from: number, error: IoamctlError): Delivery {
    const { octets, messageLength } = outgoing;
    this.#counters.droppedMessages += Math.ceil((octets - from) / messageLength);
    return { taken: from, error };
  }

  #isRefusal({ code }: IoamctlError): boolean {
    if (code !== "ECONNREFUSED") return false;
    this.#counters.refusals++;
    return true;
  }

  /** A failure to send and the end of the session come one after the other. */
  async #hasEnded(transport: Transport): Promise<boolean> {
    if (this.link.transport === transport) await nextTurn();
    return this.link.transport !== transport;
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
