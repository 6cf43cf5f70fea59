// Loaded into the agent by `node --import`: each SIGUSR2 has it write a line of JSON to standard error with
// the CPU time so far, nanoseconds. From the second of three on until the third it looks at the event loop as
// well, and says then how late that was, milliseconds.

import { monitorEventLoopDelay } from "node:perf_hooks";

/** Milliseconds between two looks at the event loop; they are no delay. */
const RESOLUTION = 1;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
const late = (ns) => Math.max(0, ns / 1e6 - RESOLUTION);
let signals = 0;

process.on("SIGUSR2", () => {
  delay.disable();
  const { user, system } = process.cpuUsage();
  const cpu = 1000 * (user + system);
  const probe = { cpu, p99: late(delay.percentile(99)), max: late(delay.max) };
  process.stderr.write(`${JSON.stringify({ probe })}\n`);
  signals++;
  // Looking costs too much to do it while nothing happens.
  if (signals % 3 === 2) {
    delay.reset();
    delay.enable();
  }
});
