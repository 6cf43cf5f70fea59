// An exporting process with one destination (RFC 7011): templates, options, data, over many sessions.
import { IoamctlError } from "../../errors.ts";
import type { Encoder } from "../encoder/compile-encoder.ts";
import type { ExportContext } from "../field-source.ts";
import type { Template } from "../template.ts";
import type { Destination } from "../transport/destination.ts";
import type { Peer, Transport } from "../transport/transport.ts";
import type { DataRecord } from "../value/data-record.ts";
import { encodeRecord } from "../value/encode-record.ts";
import { listTemplates } from "../value/list-templates.ts";
import { Announcements, templateRecord, templateWithdrawal } from "./announcements.ts";
import { Calls, type GivingUp } from "./calls.ts";
import { checkProcessOptions } from "./check-options.ts";
import { type DomainCounters, newCounters, type SessionCounters } from "./counters.ts";
import { type ExportResult, Tally } from "./export-result.ts";
import { asIoamctlError, type LinkState, sessionClosed } from "./link.ts";
import { messageLimit } from "./message-limit.ts";
import type { OptionsRecords } from "./options-records.ts";
import { type PackedMessage, packMessages, type SetRecord } from "./packed-message.ts";
import { type Records, recordsAt } from "./record-batch.ts";
import { RecordBatches } from "./record-batches.ts";
import { Sender } from "./sender.ts";

/** How to export. */
export interface ExportingProcessOptions {
  /** Where to. */
  destination: Destination;
  /** Of what a call says no other of: 0–4294967295. */
  observationDomainId: number;
  /** Others, which have the same templates. */
  moreObservationDomains?: readonly number[];
  /** Templates of records in memory, compiled; `export` refers to them by their place here. */
  encoders?: readonly Encoder[];
  /** Sent by itself, when a transport session begins and periodically. */
  options?: readonly OptionsRecords[];
  /** Seconds after which UDP and DTLS get the templates again: 0.1–2147483; default: 600. */
  templateRefresh?: number;
  /** Octets of a packet at most: 68–65535; default: the path's MTU, or 512 where it is not known. */
  mtu?: number;
  /** Bits a second at most, IP and UDP headers included, 1 or more; default: no limit. */
  maxRate?: number;
  /** Records that may wait for their turn behind others, 1 or more; others are dropped. Default: 1 048 576. */
  maxQueued?: number;
  /** `state` is another now. */
  onStateChange?: (process: ExportingProcess) => void;
  /** Records of options could not be encoded, and were left out. */
  onOptionsError?: (error: IoamctlError) => void;
}

/** What holds for one call. */
export interface ExportCall {
  /** Ends the waiting for a session, for room in the socket, and for the calls before. */
  signal?: AbortSignal | undefined;
}

/** What holds for one call of an exporting process. */
export interface DomainCall extends ExportCall {
  /** One of those of the exporting process. */
  observationDomainId?: number | undefined;
}

const DEFAULT_REFRESH = 600;
const DEFAULT_MAX_QUEUED = 1 << 20;

/**
 * Sends data records to one destination, templates and options first. It connects by itself, and again
 * whenever a session ends. Its methods may overlap: each call waits for its turn.
 */
export class ExportingProcess {
  readonly counters: Readonly<SessionCounters>;
  readonly #counters: SessionCounters = newCounters();
  readonly #options: ExportingProcessOptions;
  readonly #domains: readonly number[];
  readonly #announcements: Announcements;
  readonly #batches: RecordBatches;
  readonly #sender: Sender;
  readonly #calls: Calls;
  readonly #refresh: NodeJS.Timeout;
  readonly #periods: readonly NodeJS.Timeout[];

  /** Begins to connect at once. Throws OPTIONS_INVALID, and TEMPLATE_INVALID for two of one id. */
  constructor(options: ExportingProcessOptions) {
    checkProcessOptions(options);
    const { destination, observationDomainId, encoders = [], maxRate } = options;
    const domains = [observationDomainId, ...(options.moreObservationDomains ?? [])];
    const templates = encoders.map(({ template }) => template);
    const refresh = 1000 * (options.templateRefresh ?? DEFAULT_REFRESH);
    this.counters = this.#counters;
    this.#options = options;
    this.#domains = [...new Set(domains)];
    this.#announcements = new Announcements(this.#domains, templates, options.options ?? []);
    this.#batches = new RecordBatches(encoders);
    const idle = (): void => void this.#calls.between(() => this.#sender.announceIfDue());
    const again = (): void => {
      // Also when there is no session, or when it was too early.
      this.#refresh.refresh();
      idle();
    };
    this.#refresh = setTimeout(again, refresh).unref();
    this.#sender = new Sender({
      destination,
      maxRate,
      counters: this.#counters,
      refresh,
      check: (transport) => this.#limit(transport),
      announcements: (transport, isNew) => this.#announce(transport, isNew),
      announced: () => this.#refresh.refresh(),
      changed: () => {
        if (this.state === "connected") idle();
        options.onStateChange?.(this);
      },
    });
    const maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED;
    this.#calls = new Calls(this.#sender, this.#counters, maxQueued);
    this.#periods = (options.options ?? []).map((one) => this.#repeat(one));
  }

  /**
   * The same as the constructor, but resolves when the first session has begun. Rejects with what the
   * constructor throws, and with the reason when the first attempt fails; then it is closed.
   */
  static async open(options: ExportingProcessOptions): Promise<ExportingProcess> {
    const process = new ExportingProcess(options);
    const error = await process.firstAttempt();
    if (error === undefined) return process;
    await process.close();
    throw error;
  }

  /** "connected" while a session lasts, "waiting" between two attempts. */
  get state(): LinkState {
    return this.#sender.link.state;
  }

  /** What it has sent in an observation domain, since it was made. */
  sentIn(observationDomainId: number): Readonly<DomainCounters> {
    return this.#sender.sentIn(observationDomainId);
  }

  /** The other end of the present session, if there is one. */
  get peer(): Peer | undefined {
    return this.#sender.link.transport?.peer;
  }

  /** Why there is no session; undefined as long as none has failed, or when one lasts. */
  get lastError(): IoamctlError | undefined {
    return this.#sender.link.lastError;
  }

  /** Settles when the first attempt to connect has succeeded, or failed: with the reason. */
  async firstAttempt(): Promise<IoamctlError | undefined> {
    const { link } = this.#sender;
    while (!link.tried && link.state !== "closed") await link.change();
    return link.state === "closed" ? sessionClosed() : link.lastError;
  }

  /**
   * Sends `count` records: record i begins at 32-bit word offsets[i] of `buffer` and is encoded with
   * the template kinds[i]. Records keep their order within a template. Settles when the transport
   * has taken them all or they are counted as dropped; until then `buffer` must stay as it is.
   *
   * Without `signal` records wait for a session as long as it takes. When it aborts, what is left is
   * dropped, but for the messages that are being sent just then: these count as sent.
   *
   * Rejects with CONTEXT_INVALID when `context` lacks a value, with DOMAIN_UNKNOWN when the observation
   * domain is none of those of the options, with SESSION_CLOSED after `close`.
   */
  export(
    buffer: ArrayBufferLike,
    offsets: Uint32Array,
    count: number,
    kinds: ArrayLike<number>,
    context: ExportContext = {},
    { signal, observationDomainId }: DomainCall = {},
  ): Promise<ExportResult> {
    return this.#calls.run(count, signal, async (givingUp) => {
      this.#batches.setContext(context);
      this.#batches.setDomain(this.#domain(observationDomainId));
      const records = { buffer, offsets, count, kinds };
      let result = await this.#exportLaidOut(records, givingUp);
      // The path has become narrower: what did not fit is encoded once more.
      while (result.error?.code === "EMSGSIZE" && this.#isNarrower()) {
        const places = result.dropped;
        const again = await this.#exportLaidOut(recordsAt(records, places), givingUp);
        const dropped = again.dropped.map((place) => places[place]!);
        result = { sent: count - dropped.length, dropped, error: again.error };
      }
      return result;
    });
  }

  #exportLaidOut(records: Records, givingUp: GivingUp): Promise<ExportResult> {
    const { transport } = this.#sender.link;
    // Between two sessions the former layout is as good as any.
    if (transport !== undefined) {
      this.#batches.layOut(this.#limit(transport), (messageLength) =>
        this.#sender.batchSize(messageLength, transport),
      );
    }
    return this.#batches.send(records, this.#calls, givingUp);
  }

  #isNarrower(): boolean {
    const { transport } = this.#sender.link;
    return transport !== undefined && this.#limit(transport) < this.#batches.limit;
  }

  /**
   * Sends records given as values, by the names of the template's elements. A template that the
   * collector does not have yet goes first, as do those of lists in the records; they stay known until
   * `withdraw`. Settles as `export` does.
   *
   * Rejects, and sends nothing, with VALUE_INVALID for a record that does not fit the template, with
   * TEMPLATE_INVALID when another template has its id, with DOMAIN_UNKNOWN and SESSION_CLOSED as
   * `export` does.
   */
  async send(
    template: Template,
    records: Iterable<DataRecord>,
    { signal, observationDomainId }: DomainCall = {},
  ): Promise<ExportResult> {
    const domain = this.#domain(observationDomainId);
    const all = [...records];
    const data = all.map((record) => ({
      setId: template.id,
      octets: encodeRecord(template, record),
    }));
    const templates = [...listTemplates(template, all), template];
    // Before it waits for its turn: nothing of it could ever be sent.
    for (const one of templates) this.#announcements.has(one);
    return this.#calls.run(data.length, signal, async (givingUp) => {
      // Where nothing was announced yet, they are among what will be.
      const { hasAnnounced } = this.#sender;
      const added = templates.filter((one) => this.#announcements.add(one));
      const ahead = hasAnnounced ? added.map(templateRecord) : [];
      const messages = [
        ...this.#packElsewhere(domain, ahead),
        ...this.#pack([...ahead, ...data], domain),
      ];
      const result = await this.#calls.deliverRecords(messages, data.length, givingUp);
      // They were in the first of them: the collector lacks them still.
      if (ahead.length > 0 && result.dropped[0] === 0) {
        for (const one of added) this.#announcements.remove(one);
      } else if (ahead.length > 0) {
        this.#sender.repeatAnnouncements();
      }
      return result;
    });
  }

  /**
   * Forgets a template of `send`. Over TCP and TLS the collector is told (RFC 7011 section 8.1);
   * elsewhere its id must not be used again before three refreshes are over.
   */
  async withdraw(template: Template): Promise<void> {
    // In its turn: calls before it may still bring the template back.
    await this.#calls.between(async () => {
      const isKnown = this.#announcements.remove(template) && this.#sender.hasAnnounced;
      if (!isKnown || this.#sender.link.transport?.takesWithdrawals !== true) return;
      const withdrawal = [templateWithdrawal(template)];
      for (const domain of this.#domains) {
        await this.#deliverAll(this.#pack(withdrawal, domain, true));
      }
    });
    // Without a session there was no turn.
    this.#announcements.remove(template);
  }

  /** Sends the templates now, or as soon as there is a session. Rejects with SESSION_CLOSED. */
  async sendTemplates(): Promise<void> {
    await this.#calls.run(0, undefined, async () => {
      await this.#sender.announce();
      return new Tally(0).result();
    });
  }

  /**
   * Ends the session: what is being sent, and what waits, is dropped. Settles when all of it is counted
   * and the transport has delivered what it took, as far as it can. Safe to repeat.
   */
  async close(): Promise<void> {
    clearTimeout(this.#refresh);
    for (const period of this.#periods) clearInterval(period);
    await Promise.all([this.#sender.close(), this.#calls.idle()]);
  }

  /** Throws DOMAIN_UNKNOWN. */
  #domain(id: number = this.#options.observationDomainId): number {
    if (this.#domains.includes(id)) return id;
    throw new IoamctlError(
      "DOMAIN_UNKNOWN",
      `${id} is no observation domain of this exporting process: name it in moreObservationDomains`,
    );
  }

  /** The same templates for the other observation domains. */
  #packElsewhere(domain: number, templates: readonly SetRecord[]): PackedMessage[] {
    const others = this.#domains.filter((one) => one !== domain);
    return others.flatMap((one) => this.#pack(templates, one, true));
  }

  #pack(records: readonly SetRecord[], domain: number, isAnnouncement = false): PackedMessage[] {
    const limit = this.#limit(this.#sender.link.transport!);
    return packMessages(records, domain, limit, isAnnouncement);
  }

  async #deliverAll(messages: readonly PackedMessage[]): Promise<void> {
    for (const message of messages) await this.#sender.deliver(message);
  }

  /** Octets that a message may have. Throws MTU_TOO_SMALL. */
  #limit(transport: Transport): number {
    return messageLimit(transport, this.#announcements.templates, this.#options.mtu);
  }

  #announce(transport: Transport, isNew: boolean): PackedMessage[] {
    return this.#announcements.messages(this.#limit(transport), (options) =>
      isNew ? this.#optionsRecords(options) : [],
    );
  }

  #repeat(options: OptionsRecords): NodeJS.Timeout {
    let isWaiting = false;
    const send = async (): Promise<void> => {
      // The last ones are not sent yet: these would only wait behind them.
      if (isWaiting) return;
      isWaiting = true;
      await this.#calls.between(() => {
        const records = this.#optionsRecords(options);
        return this.#deliverAll(this.#pack(records, options.observationDomainId, true));
      });
      isWaiting = false;
    };
    return setInterval(() => void send(), 1000 * options.period).unref();
  }

  #optionsRecords({ template, records }: OptionsRecords): SetRecord[] {
    try {
      return Array.from(records(), (record) => ({
        setId: template.id,
        octets: encodeRecord(template, record),
        isAlone: template.isVariable,
      }));
    } catch (error) {
      this.#options.onOptionsError?.(asIoamctlError(error));
      return [];
    }
  }
}
