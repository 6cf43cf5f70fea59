// Records as lines of JSON, over the transports of IPFIX: for collectors that read no IPFIX.
import type { IoamctlError } from "../../errors.ts";
import type { Template } from "../template.ts";
import type { Destination } from "../transport/destination.ts";
import type { DataRecord } from "../value/data-record.ts";
import { jsonRecord } from "../value/json-record.ts";
import { Calls } from "./calls.ts";
import { checkPaceOptions } from "./check-options.ts";
import { newCounters, type SessionCounters } from "./counters.ts";
import type { ExportResult } from "./export-result.ts";
import type { ExportCall } from "./exporting-process.ts";
import { packLines } from "./json-lines.ts";
import type { LinkState } from "./link.ts";
import { messageLimit } from "./message-limit.ts";
import { Sender } from "./sender.ts";

/** How to export as JSON. */
export interface JsonExporterOptions {
  /** Where to. */
  destination: Destination;
  /** Octets of a packet at most: 68–65535; default: the path's MTU, or 512 where it is not known. */
  mtu?: number;
  /** Bits a second at most, IP and UDP headers included, 1 or more; default: no limit. */
  maxRate?: number;
  /** Records that may wait for their turn behind others, 1 or more; others are dropped. Default: 1 048 576. */
  maxQueued?: number;
  /** `state` is another now. */
  onStateChange?: (exporter: JsonExporter) => void;
}

const DEFAULT_MAX_QUEUED = 1 << 20;

/**
 * Sends data records as JSON objects, one a line (newline-delimited JSON), instead of IPFIX messages:
 * no templates, no options, no sequence numbers. A datagram has whole lines, as many as fit the packet.
 * It connects by itself, and again whenever a session ends. Its methods may overlap: each call waits
 * for its turn.
 */
export class JsonExporter {
  /** `messages` counts datagrams, or what was handed to a stream at once. */
  readonly counters: Readonly<SessionCounters>;
  readonly #mtu: number | undefined;
  readonly #sender: Sender;
  readonly #calls: Calls;

  /** Begins to connect at once. Throws OPTIONS_INVALID. */
  constructor(options: JsonExporterOptions) {
    checkPaceOptions(options);
    const counters = newCounters();
    this.counters = counters;
    this.#mtu = options.mtu;
    this.#sender = new Sender({
      destination: options.destination,
      maxRate: options.maxRate,
      counters,
      refresh: Number.POSITIVE_INFINITY,
      check: (transport) => messageLimit(transport, [], this.#mtu),
      announcements: () => [],
      announced: () => {},
      changed: () => options.onStateChange?.(this),
    });
    this.#calls = new Calls(this.#sender, counters, options.maxQueued ?? DEFAULT_MAX_QUEUED);
  }

  /** "connected" while a session lasts, "waiting" between two attempts. */
  get state(): LinkState {
    return this.#sender.link.state;
  }

  /** Why there is no session; undefined as long as none has failed, or when one lasts. */
  get lastError(): IoamctlError | undefined {
    return this.#sender.link.lastError;
  }

  /**
   * Sends records given as values, by the names of the template's elements. Settles when the
   * transport has taken them all or they are counted as dropped. Without `signal` records wait for a
   * session as long as it takes; when it aborts, what is left is dropped, but for the lines that are
   * being sent just then: these count as sent.
   *
   * Rejects, and sends nothing, with VALUE_INVALID for a record that does not fit the template, with
   * SESSION_CLOSED after `close`.
   */
  async send(
    template: Template,
    records: Iterable<DataRecord>,
    { signal }: ExportCall = {},
  ): Promise<ExportResult> {
    const lines = Array.from(records, (record) => `${jsonRecord(template, record)}\n`);
    return this.#calls.run(lines.length, signal, (givingUp) => {
      const limit = messageLimit(this.#sender.link.transport!, [], this.#mtu);
      return this.#calls.deliverRecords(packLines(lines, limit), lines.length, givingUp);
    });
  }

  /**
   * Ends the session: what is being sent, and what waits, is dropped. Settles when all of it is counted
   * and the transport has delivered what it took, as far as it can. Safe to repeat.
   */
  async close(): Promise<void> {
    await Promise.all([this.#sender.close(), this.#calls.idle()]);
  }
}
