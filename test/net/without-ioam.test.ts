// Kernels that send no IOAM events, or know nothing of IOAM: what cannot be had is said, the rest is
// done. test/kernel does the same with such kernels, in an emulated machine.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CommandLab, jsonLines, warnings } from "./command-lab.ts";
import { withoutIoam, withoutIoamEvents } from "./private-host.ts";
import { expectConserved, type StatusJson } from "./status-json.ts";

const TRACE_ONLY = `
trace: { source: kernel, netns: [ROUTER] }
outputs: [{ console: {} }]
`;
const BOTH = `
interfaces: [{ name: in0, netns: ROUTER }]
meter: { maxFlows: 64 }
trace: { source: kernel }
outputs: [{ console: {} }]
`;

let commands: CommandLab;

beforeAll(async () => {
  commands = await CommandLab.start();
});
afterAll(() => commands?.close());

describe.each([
  [
    "no family",
    withoutIoam,
    "NO_KERNEL_IOAM",
    "this kernel has no IOAM for IPv6: it takes Linux 5.15 or later, with IPv6 not disabled",
  ],
  [
    "no events",
    withoutIoamEvents,
    "NO_KERNEL_IOAM_EVENTS",
    "this kernel sends no IOAM events: it takes Linux 6.9 or later",
  ],
])("%s", (_, by, code, message) => {
  test("monitor, and an agent with nothing else to do, end with that line", async () => {
    const { host } = commands;
    const monitor = await host.ioamctl(["monitor", ...commands.netns], { by });
    expect(monitor).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `ioamctl monitor: ${message}\n`,
    });
    const file = await commands.configure(TRACE_ONLY);
    const agent = await host.ioamctl(["agent", "-c", file], { by });
    expect([agent.code, agent.stdout]).toEqual([1, ""]);
    expect(agent.stderr.trimEnd().split("\n").at(-1)).toBe(`ioamctl agent: ${message}`);
    await host.clean();
  });

  test("an agent with interfaces says so once and meters; status is as ever", async () => {
    const running = await commands.agentBy(by, "-c", await commands.configure(BOTH));
    await commands.send(1, 2, 2);
    await commands.counted(3);
    const { code: exit, stdout } = await commands.host.ioamctl(["status", "--json"], { by });
    expect(exit).toBe(0);
    const status = JSON.parse(stdout) as StatusJson;
    expectConserved(status, 3);
    expect(status).toMatchObject({
      agent: { pid: running.pid, state: "running" },
      traces: [],
      nodes: [],
    });
    // Not the time that passes, but a reload has it ask again.
    running.child.kill("SIGHUP");
    await running.until(/configuration reloaded/);
    expect((await running.stop()).code).toBe(0);
    const expected = { level: "warn", netns: commands.name, err: { code, message } };
    expect(warnings(running)).toMatchObject([expected, expected]);
    const flows = jsonLines<Record<string, unknown>>(running.output);
    expect(flows.map(({ ioamFlowId, packetDeltaCount }) => [ioamFlowId, packetDeltaCount])).toEqual(
      [
        [1, 1],
        [2, 2],
      ],
    );
    await commands.host.print("detach", "--all");
    await commands.host.clean(commands.lab.router);
  });
});
