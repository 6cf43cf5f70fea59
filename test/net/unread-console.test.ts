// An agent whose standard output nobody reads: it ends all the same, and says what that costs.
import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { CommandLab } from "./command-lab.ts";

let commands: CommandLab;
beforeAll(async () => {
  commands = await CommandLab.start();
});
afterAll(() => commands?.close());

it("ends with everything exported elsewhere, and the reader is told", async () => {
  // Lines of some 800 octets: more than the pipe and its reader's side hold.
  const flows = Array.from({ length: 1000 }, (_, i) => i + 1);
  await using receiver = await collector();
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 1h, maxFlows: 4096 }
collectors: [{ address: "${receiver.target}" }]
outputs: [{ console: {} }]
`);
  const running = await commands.agent("-c", file);
  running.child.stdout!.pause();
  for (let i = 0; i < flows.length; i += 50) await commands.send(...flows.slice(i, i + 50));
  await commands.counted(flows.length);
  // `ended` waits for the end of the output, which is not read.
  const exit = once(running.child, "exit");
  running.child.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
  const { file: received } = await receiver.sender();
  expect((await exportedFlows(received)).flows.size).toBe(flows.length);
  running.child.stdout!.resume();
  await eventually("the message", () => running.errors.includes("standard output is not read"));
});
