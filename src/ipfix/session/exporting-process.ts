// One transport session of an exporting process (RFC 7011): templates, sequence numbers, messages.
import { setTimeout as sleep } from "node:timers/promises";
import { IoamctlError } from "../../errors.ts";
import type { Encoder } from "../encoder/compile-encoder.ts";
import type { ExportContext } from "../field-source.ts";
import type { Transport } from "../transport/transport.ts";
import { newCounters, type SessionCounters } from "./counters.ts";
import { MessageBatch } from "./message-batch.ts";
import { messageLimit } from "./message-limit.ts";
import type { Outgoing } from "./outgoing.ts";
import { Pacer } from "./pacer.ts";
import type { RecordBatch } from "./record-batch.ts";
import { templateMessages } from "./template-message.ts";
import { VariableBatch } from "./variable-batch.ts";

/** How to export. */
export interface ExportingProcessOptions {
  /** Where to; the exporting process closes it when it is closed. */
  transport: Transport;
  /** 0–4294967295. */
  observationDomainId: number;
  /** The templates, compiled; `export` refers to them by their place here. */
  encoders: readonly Encoder[];
  /** Seconds after which the templates are sent again; default: 600. */
  templateRefresh?: number;
  /** Octets of a packet at most; default: the path's MTU, or 512 where it is not known. */
  mtu?: number;
  /** Bits a second at most, IP and UDP headers included; default: no limit. */
  maxRate?: number;
}

/** What became of the records of one call of `export`. */
export interface ExportResult {
  /** How many records the transport took. */
  sent: number;
  /** Those that it did not take, as places in `offsets`. */
  dropped: Uint32Array;
  /** Why, when there are any. */
  error: IoamctlError | undefined;
}

const DEFAULT_REFRESH = 600;

/** How often the templates go ahead of the first batches: any one datagram may be lost. */
const FIRST_TEMPLATES = 2;

/** How often a send is tried again: its error may be that of an earlier datagram. */
const RETRIES = 4;

/** Longest time of a timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Sends data records to one collector, their templates first. Its methods may overlap. */
export class ExportingProcess {
  readonly counters: Readonly<SessionCounters>;
  readonly #counters: SessionCounters = newCounters();
  readonly #options: ExportingProcessOptions;
  readonly #transport: Transport;
  readonly #batches: readonly RecordBatch[];
  readonly #pacer: Pacer | undefined;
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #refresh: number;
  #templates: Outgoing[] = [];
  #limit = 0;
  #sequence = 0;
  #firstTemplates = FIRST_TEMPLATES;
  /** When the templates were sent last: steady milliseconds, and the export time in Unix seconds. */
  #templatesAt = Number.NEGATIVE_INFINITY;
  #templatesTime = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #dropped: Uint32Array[] = [];
  #error: IoamctlError | undefined;

  /** Throws MTU_TOO_SMALL when a template or a record does not fit a packet of `mtu` octets. */
  constructor(options: ExportingProcessOptions) {
    const { transport, observationDomainId, encoders, maxRate } = options;
    messageLimit(transport, encoders, options.mtu);
    this.counters = this.#counters;
    this.#options = options;
    this.#transport = transport;
    this.#batches = encoders.map((encoder) =>
      encoder.tail === undefined
        ? new MessageBatch(encoder, observationDomainId)
        : new VariableBatch(encoder, encoder.tail, observationDomainId),
    );
    this.#pacer = maxRate === undefined ? undefined : new Pacer(maxRate);
    this.#refresh = 1000 * (options.templateRefresh ?? DEFAULT_REFRESH);
    const idle = (): void => void this.sendTemplates().catch(() => {});
    this.#timer = setTimeout(idle, Math.min(this.#refresh, LONGEST_TIMER)).unref();
  }

  /**
   * Sends `count` records: record i begins at 32-bit word offsets[i] of `buffer` and is encoded with
   * the template kinds[i]. Records keep their order within a template. Settles when the transport
   * has taken them all or they are counted as dropped; until then `buffer` must stay as it is.
   *
   * Rejects with CONTEXT_INVALID when `context` lacks a value, SESSION_CLOSED after `close`.
   */
  export(
    buffer: ArrayBufferLike,
    offsets: Uint32Array,
    count: number,
    kinds: ArrayLike<number>,
    context: ExportContext = {},
  ): Promise<ExportResult> {
    return this.#inTurn(() => this.#export(buffer, offsets, count, kinds, context));
  }

  /** Sends the templates now. */
  sendTemplates(): Promise<void> {
    return this.#inTurn(async () => {
      this.#layOut();
      await this.#sendTemplates();
    });
  }

  /** Ends the session: what is being sent is dropped and counted. Safe to repeat. */
  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    void this.#transport.close();
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(() => {
      if (this.#closing.signal.aborted) throw closed();
      return task();
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  async #export(
    buffer: ArrayBufferLike,
    offsets: Uint32Array,
    count: number,
    kinds: ArrayLike<number>,
    context: ExportContext,
  ): Promise<ExportResult> {
    this.#layOut();
    for (const batch of this.#batches) batch.setContext(context);
    this.#dropped = [];
    this.#error = undefined;
    const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
    try {
      for (let next = 0; next < count; ) {
        next = this.#fill(words, offsets, next, count, kinds);
        if (next < count) await this.#sendBatch(this.#batches[kinds[next]]);
      }
      for (const batch of this.#batches) if (batch.records > 0) await this.#sendBatch(batch);
    } finally {
      for (const batch of this.#batches) batch.clear();
    }
    const dropped = concatenate(this.#dropped);
    return { sent: count - dropped.length, dropped, error: this.#error };
  }

  // Encodes records until there is no room for one, or no more; gives the next record's number.
  // A function of its own, and without await: called often, so that it is compiled as a whole.
  #fill(
    words: Int32Array,
    offsets: Uint32Array,
    from: number,
    count: number,
    kinds: ArrayLike<number>,
  ): number {
    const batches = this.#batches;
    for (let i = from; i < count; i++) {
      if (!batches[kinds[i]].add(words, offsets[i], i)) return i;
    }
    return count;
  }

  // The path's MTU may change from one call to the next; the batches are empty here.
  #layOut(): void {
    const limit = messageLimit(this.#transport, this.#options.encoders, this.#options.mtu);
    if (limit === this.#limit) return;
    this.#limit = limit;
    const { encoders, observationDomainId } = this.#options;
    const most = (messageLength: number): number =>
      this.#pacer?.batchSize(messageLength + this.#transport.headerLength) ??
      Number.POSITIVE_INFINITY;
    for (const batch of this.#batches) batch.layOut(limit, most);
    const templates = encoders.map(({ template }) => template);
    this.#templates = templateMessages(templates, observationDomainId, limit);
  }

  #templatesDue(): boolean {
    return (
      this.#firstTemplates > 0 ||
      performance.now() - this.#templatesAt >= this.#refresh ||
      // The clock was set back: no data may be older than its template.
      unixSeconds() < this.#templatesTime
    );
  }

  async #sendTemplates(): Promise<void> {
    this.#firstTemplates = Math.max(0, this.#firstTemplates - 1);
    this.#templatesAt = performance.now();
    this.#templatesTime = unixSeconds();
    if (!this.#closing.signal.aborted) this.#timer.refresh();
    for (const message of this.#templates) {
      const { messages, droppedMessages } = this.#counters;
      await this.#send(message);
      this.#counters.templateMessages += this.#counters.messages - messages;
      // Not sent: again with the next batch.
      if (this.#counters.droppedMessages > droppedMessages)
        this.#templatesAt = Number.NEGATIVE_INFINITY;
    }
  }

  async #sendBatch(batch: RecordBatch): Promise<void> {
    if (this.#templatesDue()) await this.#sendTemplates();
    const taken = await this.#send(batch, () => this.#sendTemplates());
    if (taken < batch.octets) this.#dropped.push(batch.numbersFrom(taken));
    batch.clear();
  }

  /**
   * Sends messages until the transport has taken them or fails; gives the octets taken, and counts
   * both. A refusal tells of an earlier datagram: a collector that has started since then lacks the
   * templates, so `afterRefusal` may send them before the messages are tried again.
   */
  async #send(outgoing: Outgoing, afterRefusal?: () => Promise<void>): Promise<number> {
    const { octets, messageLength } = outgoing;
    let from = 0;
    for (let failures = 0; from < octets; ) {
      try {
        const taken = await this.#sendOnce(outgoing, from);
        if (taken === 0) {
          await this.#transport.writable();
        } else {
          this.#count(outgoing, from, from + taken);
          from += taken;
          failures = 0;
        }
      } catch (error) {
        const failure = asIoamctlError(error);
        const refused = failure.code === "ECONNREFUSED";
        if (refused) this.#counters.refusals++;
        if (failures++ < RETRIES) {
          if (refused && failures === 1) await afterRefusal?.();
          continue;
        }
        this.#error = failure;
        this.#counters.droppedMessages += Math.ceil((octets - from) / messageLength);
        this.#counters.droppedRecords +=
          outgoing.recordsBefore(octets) - outgoing.recordsBefore(from);
        break;
      }
    }
    return from;
  }

  async #sendOnce(outgoing: Outgoing, from: number): Promise<number> {
    const { bytes, octets, messageLength } = outgoing;
    const delay = this.#pacer?.delay(performance.now()) ?? 0;
    if (delay > 0) await sleep(Math.ceil(delay), undefined, { signal: this.#closing.signal });
    outgoing.stamp(from, unixSeconds(), this.#sequence);
    return this.#transport.send(bytes, from, octets - from, messageLength);
  }

  #count(outgoing: Outgoing, from: number, to: number): void {
    const messages = Math.ceil((to - from) / outgoing.messageLength);
    const records = outgoing.recordsBefore(to) - outgoing.recordsBefore(from);
    this.#counters.messages += messages;
    this.#counters.octets += to - from;
    this.#counters.records += records;
    this.#sequence = (this.#sequence + records) >>> 0;
    this.#pacer?.charge(to - from + messages * this.#transport.headerLength, performance.now());
  }
}

function unixSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function closed(): IoamctlError {
  return new IoamctlError("SESSION_CLOSED", "the IPFIX session is closed: open another");
}

function asIoamctlError(error: unknown): IoamctlError {
  if (error instanceof IoamctlError) return error;
  const { code, name, message } = error as Error & { code?: string };
  if (name === "AbortError") return closed();
  return new IoamctlError(code ?? "EIO", message, { cause: error });
}

function concatenate(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
