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
  /** Milliseconds that it may take to connect, and that a collector may take nothing. */
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

/** Octets of the longest packet: what a pace lets through at once, if it is slow. */
const LONGEST_PACKET = 9000;

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
    await connected(session, timeout, signal);
    const { maxRate = Number.POSITIVE_INFINITY } = target;
    // Who is paced is not slow.
    const patience = timeout + (8000 * LONGEST_PACKET) / maxRate;
    await sendRecords(
      file,
      (template, records) =>
        patiently(session, patience, signal, (givenUp) =>
          session.send(template, records, { signal: givenUp }),
        ),
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

/** Waits for a session. Throws why there is none, and when `signal` aborts. */
async function connected(
  session: ExportingProcess,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  let end = (): void => {};
  const tooLate = new Promise<IoamctlError>((resolve) => {
    end = () => {
      const message = `no answer within ${timeout} ms: see that a collector is there`;
      resolve(new IoamctlError("COLLECTOR_UNREACHABLE", message));
    };
  });
  const timer = setTimeout(end, timeout);
  signal.addEventListener("abort", end);
  if (signal.aborted) end();
  const error = await Promise.race([session.firstAttempt(), tooLate]);
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
  if (error !== undefined) throw error;
}

/**
 * Runs `send` with a signal that aborts when the session has sent nothing for `patience` milliseconds,
 * or `signal` does.
 */
async function patiently<T>(
  { counters }: ExportingProcess,
  patience: number,
  signal: AbortSignal,
  send: (givenUp: AbortSignal) => Promise<T>,
): Promise<T> {
  const givenUp = new AbortController();
  const giveUp = (): void => givenUp.abort();
  let before = counters.messages;
  const timer = setInterval(() => {
    if (counters.messages === before) giveUp();
    before = counters.messages;
  }, patience);
  signal.addEventListener("abort", giveUp);
  if (signal.aborted) giveUp();
  try {
    return await send(givenUp.signal);
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", giveUp);
  }
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
