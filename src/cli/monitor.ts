// ioamctl monitor: the kernel's IOAM events as they come.

import type { Command } from "commander";
import { isNetns } from "../agent/netns-name.ts";
import { counted } from "../counted.ts";
import { IoamctlError } from "../errors.ts";
import {
  LINUX_TIMESTAMPS,
  type NodeFields,
  nodeFields,
  readNode,
  type TimestampFormats,
  traceTypeText,
} from "../ioam/index.ts";
import { type NetnsHandle, openNetns } from "../native/bpf-loader/index.ts";
import {
  ENABLE_IOAM,
  type EventBatch,
  hasIoamEnabled,
  type IoamEvent,
  type KernelEventCounters,
  type KernelEvents,
  listenToKernel,
} from "../netlink/index.ts";
import type { ShownEvent } from "./event-fields.ts";
import { eventObject } from "./event-json.ts";
import { eventLines } from "./event-lines.ts";
import { toJson } from "./json.ts";
import { createLogger } from "./log.ts";
import { type CommonOptions, jsonOption, logLevelOption, netnsOption } from "./options.ts";
import { print } from "./output.ts";
import { requireNetAdmin } from "./privilege.ts";
import { timestampsOption } from "./timestamp-option.ts";

/** How often it looks whether its network namespace is still there, milliseconds. */
const LOOK_MS = 1000;

/** How long it may go on showing, at the end, what has come before, milliseconds. */
const END_MS = 1000;

interface MonitorOptions extends CommonOptions {
  netns?: string;
  json?: true;
  timestamps?: TimestampFormats;
}

const EXAMPLES = `
Nodes are shown along the path; 'n/a' (null) is what a node had to leave out. A line of its own says
when events were lost. The kernel sends an event for each packet with a pre-allocated trace that
comes in by an interface with IOAM enabled, in an IOAM namespace that it knows:
  sysctl -w net.ipv6.conf.eth1.ioam6_enabled=1 && ip ioam namespace add 123

Examples:
  ioamctl monitor
  ioamctl monitor --netns blue --timestamps 123=ptp
  ioamctl monitor --json | jq -c '.nodes[]?.ioamNodeId'`;

export function addMonitor(program: Command): void {
  program
    .command("monitor")
    .description("show the kernel's IOAM events as they come")
    .addOption(netnsOption())
    .addOption(timestampsOption())
    .addOption(jsonOption("print one JSON object a line"))
    .addOption(logLevelOption())
    .addHelpText("after", EXAMPLES)
    .action(monitor);
}

async function monitor(options: MonitorOptions): Promise<void> {
  requireNetAdmin();
  const log = createLogger(options.logLevel);
  const netns = options.netns === undefined ? undefined : openNetns(options.netns);
  let shown: Monitor | undefined;
  let looking: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      shown = new Monitor(options, resolve, reject);
      shown.listen(netns);
      process.once("SIGINT", shown.end).once("SIGTERM", shown.end);
      log.debug({ netns: options.netns }, "listening");
      hint(netns);
      looking = setInterval(shown.look, LOOK_MS);
    });
  } finally {
    clearInterval(looking);
    shown?.close();
    netns?.close();
  }
}

/** Says so when no interface would send an event. */
function hint(netns: NetnsHandle | undefined): void {
  if (hasIoamEnabled(netns)) return;
  const where = netns?.name === undefined ? "" : ` of netns ${netns.name}`;
  process.stderr.write(
    `ioamctl monitor: no interface${where} has IOAM enabled: no event will come before ` +
      `\`${ENABLE_IOAM}\`\n`,
  );
}

/** Prints batch after batch at the reader's speed; what comes meanwhile waits in the buffers. */
class Monitor {
  /** The network namespace, if it has a name. */
  readonly #netns: string | undefined;
  #inode = 0;
  readonly #json: boolean;
  readonly #formats: TimestampFormats;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  readonly #fields: NodeFields = nodeFields();
  #said: Pick<KernelEventCounters, "netlinkDrops" | "netlinkMalformed"> = {
    netlinkDrops: 0,
    netlinkMalformed: 0,
  };
  #events: KernelEvents | undefined;
  #showing: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: MonitorOptions, resolve: () => void, reject: (error: unknown) => void) {
    this.#netns = options.netns;
    this.#json = options.json ?? false;
    this.#formats = options.timestamps ?? LINUX_TIMESTAMPS;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  listen(netns: NetnsHandle | undefined): void {
    this.#inode = netns?.inode ?? 0;
    this.#events = listenToKernel(
      { netns, keepAlive: true },
      (batch) => {
        this.#showing = this.#show(batch);
        return this.#showing;
      },
      this.#reject,
    );
  }

  close(): void {
    this.#events?.close();
  }

  /** Interrupted: shows what has come by now, says what was lost and what there is no time for. */
  readonly end = async (): Promise<void> => {
    // Whoever does not want to wait for that gives a second signal.
    process.off("SIGINT", this.end).off("SIGTERM", this.end);
    if (await this.#finish()) this.#resolve();
  };

  /** A network namespace that was deleted would live on, with its devices, as long as we listen. */
  readonly look = async (): Promise<void> => {
    const netns = this.#netns;
    if (netns === undefined || isNetns(netns, this.#inode) || !(await this.#finish())) return;
    this.#reject(
      new IoamctlError(
        "NETNS_GONE",
        `netns ${netns} was deleted: no more events will come from it`,
      ),
    );
  };

  /** Stops listening; true: all that is to be printed has been, for the first time. */
  async #finish(): Promise<boolean> {
    if (this.#events === undefined || this.#ended) return false;
    this.#ended = true;
    try {
      const unshown = await this.#events.end(END_MS);
      await this.#showing;
      await print(this.#lossLines(this.#events.counters(), unshown));
      return true;
    } catch (error) {
      this.#reject(error);
      return false;
    }
  }

  async #show(batch: EventBatch): Promise<void> {
    try {
      if (!(await print(this.#lines(batch)))) this.#resolve();
    } catch (error) {
      this.#reject(error);
    }
  }

  *#lines(batch: EventBatch): Generator<string> {
    for (let event = batch.next(); event !== undefined; event = batch.next()) {
      const shown = this.#shown(event);
      if (this.#json) yield toJson(eventObject(shown, this.#formats));
      else yield* eventLines(shown, this.#formats);
    }
    yield* this.#lossLines({ netlinkDrops: batch.drops, netlinkMalformed: batch.malformed });
  }

  #shown(event: IoamEvent): ShownEvent {
    const { kind, namespaceId, traceType, hops, flowId, sequenceNumber } = event;
    const nodes = Array.from({ length: hops }, (_, hop) => {
      event.locate(hop, this.#fields);
      return readNode(event.view, this.#fields);
    });
    return {
      event: kind,
      ioamNamespaceId: namespaceId,
      ioamTraceType: traceTypeText(traceType),
      ...(flowId !== undefined && { ioamFlowId: flowId }),
      ...(sequenceNumber !== undefined && { ioamSequenceNumber: sequenceNumber }),
      nodes,
    };
  }

  /** What was lost since this was last asked; of that, received and not shown. */
  *#lossLines(
    now: Pick<KernelEventCounters, "netlinkDrops" | "netlinkMalformed">,
    unshown = 0,
  ): Generator<string> {
    const drops = now.netlinkDrops - this.#said.netlinkDrops;
    const malformed = now.netlinkMalformed - this.#said.netlinkMalformed;
    this.#said = now;
    if (drops > 0) {
      const total = now.netlinkDrops;
      if (this.#json) yield toJson({ event: "drops", netlinkDrops: drops, total });
      else yield* dropLines(drops - unshown, unshown, total);
    }
    if (malformed > 0) {
      yield this.#json
        ? toJson({ event: "malformed", netlinkMalformed: malformed, total: now.netlinkMalformed })
        : `malformed  ${counted(malformed, "event")} skipped (${now.netlinkMalformed} in all)`;
    }
  }
}

function* dropLines(full: number, unshown: number, total: number): Generator<string> {
  const inAll = `(${total} in all)`;
  if (full > 0)
    yield `drops  ${counted(full, "event")} lost, the kernel's buffer was full ${inAll}`;
  if (unshown > 0)
    yield `drops  ${counted(unshown, "event")} not shown, for it was to end ${inAll}`;
}
