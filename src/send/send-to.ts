// One destination that made-up records are sent to, and what became of them.
import { setTimeout as sleep } from "node:timers/promises";
import { IoamctlError } from "../errors.ts";
import {
  type Destination,
  ExportingProcess,
  type ExportingProcessOptions,
  type InformationElement,
  type TypeInformationOptions,
  typeInformation,
} from "../ipfix/index.ts";
import type { RecordsFile } from "./records-file.ts";
import { sendRecords } from "./send-records.ts";

/** What became of the records for one destination. */
export interface SendResult {
  /** "udp [2001:db8::1]:4739". */
  readonly destination: string;
  readonly records: number;
  readonly droppedRecords: number;
  readonly messages: number;
  readonly octets: number;
  /** Why not everything arrived, as far as that can be known. */
  readonly error?: IoamctlError;
}

/** How to send, beside what and where to. */
export interface SendOptions {
  readonly observationDomainId: number;
  /** Milliseconds that it may take to connect, and a collector to take records. */
  readonly timeout: number;
  /** Of the elements of enterprises; undefined: none is sent. */
  readonly typeInformation:
    | Pick<TypeInformationOptions, "observationDomainId" | "period">
    | undefined;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** Milliseconds in which a host says that nobody listens there. */
const REFUSAL_MS = 100;

/** Where to send. */
export interface SendTarget
  extends Pick<ExportingProcessOptions, "mtu" | "maxRate" | "templateRefresh"> {
  readonly destination: Destination;
  /** Whether what nobody takes is refused, if at all, only after it was sent: over UDP. */
  readonly isRefusedLate: boolean;
}

/** Sends the records of a file to one destination. Expected failures are in the result. */
export async function sendTo(
  { isRefusedLate, ...target }: SendTarget,
  file: RecordsFile,
  options: SendOptions,
): Promise<SendResult> {
  const { observationDomainId, signal, timeout } = options;
  const session = new ExportingProcess({
    observationDomainId,
    options: toldFirst(file, options),
    ...target,
  });
  let error: IoamctlError | undefined;
  try {
    await connected(session, timeout);
    await sendRecords(
      file,
      (template, records) =>
        session.send(template, records, {
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
        }),
      signal,
    );
    if (isRefusedLate) await refusals(session);
  } catch (caught) {
    if (!(caught instanceof IoamctlError)) throw caught;
    // Who interrupts it knows why.
    if (!signal.aborted) error = caught;
  } finally {
    await session.close();
  }
  const { records, droppedRecords, messages, octets } = session.counters;
  const counts = { records, droppedRecords, messages, octets };
  return { destination: target.destination.name, ...counts, ...(error !== undefined && { error }) };
}

/** Waits for a session. Throws why there is none. */
async function connected(session: ExportingProcess, timeout: number): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeout);
  const tooLate = new Promise<IoamctlError>((resolve) => {
    late.signal.addEventListener("abort", () => {
      const message = `no answer within ${timeout} ms: see that a collector is there`;
      resolve(new IoamctlError("COLLECTOR_UNREACHABLE", message));
    });
  });
  const error = await Promise.race([session.firstAttempt(), tooLate]);
  clearTimeout(timer);
  if (error !== undefined) throw error;
}

/** Throws when the collector's host says that nobody listens: it does so only after the fact. */
async function refusals(session: ExportingProcess): Promise<void> {
  await sleep(REFUSAL_MS);
  if (session.state !== "connected") return;
  // What is sent next is what a refusal of the last message shows itself at.
  await session.sendTemplates();
  if (session.counters.refusals > 0) {
    throw new IoamctlError(
      "COLLECTOR_UNREACHABLE",
      "nobody listens there: start the collector, or check address and port",
    );
  }
}

/** What the elements of enterprises are that the templates have. */
function toldFirst(
  { templates, freeTemplateId }: RecordsFile,
  { typeInformation: options }: SendOptions,
): NonNullable<ExportingProcessOptions["options"]> {
  const elements: InformationElement[] = templates
    .flatMap(({ fields }) => fields.map(({ element }) => element))
    .filter(({ enterprise }) => enterprise !== 0);
  if (options === undefined || elements.length === 0) return [];
  return [typeInformation({ ...options, elements, templateId: freeTemplateId })];
}
