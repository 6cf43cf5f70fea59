// BPF programs: what they are, and running one over a packet given.

import { addon, type Fd, type RawTestRunOptions } from "./addon.ts";
import { attempt, attemptAsync, type Meaning } from "./failure.ts";
import { Handle } from "./handle.ts";
import type { NetnsHandle } from "./netns.ts";
import { openById, openPinned, pin } from "./pin.ts";

/** testRun flag: XDP frames that really travel (redirect, pass, transmit). */
export const BPF_F_TEST_XDP_LIVE_FRAMES: number = 1 << 1;

export interface TestRunOptions {
  /** The packet, from its Ethernet header on: at least 14 octets. */
  data: Uint8Array;
  /** struct __sk_buff (tc) or struct xdp_md (XDP; data_end = octets of `data`). */
  context?: Uint8Array;
  /** How often; default 1. */
  repeat?: number;
  flags?: number;
  /** The kernel's `cpu`, of raw tracepoints alone; to run on a CPU use `affinity`. */
  cpu?: number;
  /** Frames a batch, with BPF_F_TEST_XDP_LIVE_FRAMES; at most 256. */
  batchSize?: number;
  /** The network namespace to run in; default: the caller's. */
  netns?: NetnsHandle;
  /** The CPU to run on; default: any. */
  affinity?: number;
}

export interface TestRunResult {
  /** What the last run returned, signed: TC_ACT_UNSPEC and TCX_NEXT are -1. */
  retval: number;
  /** Mean duration of a run. */
  durationNs: number;
  /** The packet as it was left; empty for live frames. */
  dataOut: Uint8Array;
  /** The context as it was left, if one was given; empty for live frames. */
  contextOut: Uint8Array;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  EINVAL: [
    "TEST_RUN_FAILED",
    "the kernel refuses these options (packet under 14 octets, context, flags or batch size)",
  ],
  ENOSPC: ["TEST_RUN_FAILED", "the program made the packet more than 1024 octets longer"],
  E2BIG: ["TEST_RUN_FAILED", "the context or the batch size is too large"],
};

export class BpfProgram extends Handle {
  readonly id: number;
  readonly name: string;
  /** As bpftool prints it: "sched_cls", "xdp", … */
  readonly type: string;
  /** The kernel's digest of the instructions. */
  readonly tag: string;
  /** Ids of the maps it uses. */
  readonly mapIds: readonly number[];

  /** @internal */
  constructor(fd: Fd) {
    const info = attempt("cannot read a program's properties", "BPF_FAILED", () =>
      addon().programInfo(fd.number),
    );
    super(fd, `program ${info.name}`);
    this.id = info.id;
    this.name = info.name;
    this.type = info.type;
    this.tag = info.tag;
    this.mapIds = info.mapIds;
  }

  /** Runs and the time they took; both 0 unless sysctl kernel.bpf_stats_enabled is set. */
  statistics(): { runCount: bigint; runTimeNs: bigint } {
    const info = attempt(`cannot read the statistics of ${this.name}`, "BPF_FAILED", () =>
      addon().programInfo(this.fd),
    );
    return { runCount: info.runCount, runTimeNs: info.runTimeNs };
  }

  /** Runs the program over `data` on this thread: the event loop stands still. */
  testRun(options: TestRunOptions): TestRunResult {
    const raw = rawOptions(options);
    return attempt(
      `cannot run program ${this.name}`,
      "TEST_RUN_FAILED",
      () => addon().testRun(this.fd, options.netns?.fd ?? -1, raw),
      MEANINGS,
    );
  }

  /** The same on a thread of its own, which alone enters the netns and moves to the CPU. */
  testRunAsync(options: TestRunOptions): Promise<TestRunResult> {
    const raw = rawOptions(options);
    return attemptAsync(
      `cannot run program ${this.name}`,
      "TEST_RUN_FAILED",
      () => addon().testRunAsync(this.fd, options.netns?.fd ?? -1, raw),
      MEANINGS,
    );
  }

  /** Pins the program at `path`, on a BPF file system. */
  pin(path: string): void {
    pin("program", this.name, this.fd, path);
  }
}

function rawOptions(options: TestRunOptions): RawTestRunOptions {
  return {
    data: options.data,
    context: options.context,
    repeat: natural("repeat", options.repeat ?? 1),
    flags: natural("flags", options.flags ?? 0),
    cpu: natural("cpu", options.cpu ?? 0),
    batchSize: natural("batchSize", options.batchSize ?? 0),
    affinity: options.affinity === undefined ? undefined : natural("affinity", options.affinity),
  };
}

function natural(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 2 ** 31 - 1) {
    throw new RangeError(`test run: ${name} is ${value}, not an integer from 0 to 2147483647`);
  }
  return value;
}

/** The program pinned at `path`; NO_SUCH_PROGRAM, WRONG_PIN. */
export function openPinnedProgram(path: string): BpfProgram {
  return new BpfProgram(openPinned("program", path));
}

/** The program of that id; NO_SUCH_PROGRAM. */
export function programById(id: number): BpfProgram {
  return new BpfProgram(openById("program", id));
}
