// The clocks that BPF programs read, and what separates them from the time of day.

import { addon } from "./addon.ts";

/** What to add to CLOCK_MONOTONIC (bpf_ktime_get_ns) for Unix time, ns; changes when time is set. */
export function clockOffset(): { realtimeMinusMonotonicNs: bigint } {
  return { realtimeMinusMonotonicNs: addon().realtimeMinusMonotonic() };
}

/** CLOCK_MONOTONIC, ns; `coarse`: as bpf_ktime_get_coarse_ns tells it. */
export function monotonicNs(coarse: boolean = false): bigint {
  return addon().monotonic(coarse);
}
