// The agent as an operator sees it: what it attaches, adopts and leaves, and when it ends.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { createNetns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import type { RouterLab } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { CommandLab, jsonLines, warnings } from "./command-lab.ts";
import type { PrivateHost } from "./private-host.ts";
import { expectConserved } from "./status-json.ts";

const BRISK = `
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms, maxFlows: 64 }
outputs: [{ console: {} }]
`;

let commands: CommandLab;
let host: PrivateHost;
let lab: RouterLab;
let name: string;

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host, lab, name } = commands);
});

afterAll(() => commands?.close());

test("leaves what `attach` attached, takes off what it attached itself, and is the only one", async () => {
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "64");
  const running = await commands.agent("-n", "in0", "out0", "--netns", name, "--console");
  expect(await commands.attached()).toEqual(["in0 ingress", "out0 ingress"]);
  expect((await commands.status()).agent).toEqual({ pid: running.pid, state: "running" });

  const busy = new RegExp(`^ioamctl agent: an agent \\(pid ${running.pid}\\) already [^\\n]*\\n$`);
  const second = await host.ioamctl(["agent", "-n", "in0", "--netns", name, "--console"]);
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toMatch(busy);
  // One for a free namespace and this one has neither.
  const file = await commands.configure(`
interfaces: [{ name: snk0, netns: ${lab.sink.name} }, { name: in0, netns: ROUTER }]
outputs: [{ console: {} }]
`);
  const both = await host.ioamctl(["agent", "-c", file]);
  expect([both.code, both.stdout]).toEqual([1, ""]);
  expect(both.stderr).toMatch(busy);
  expect(await host.leftovers(lab.sink)).not.toContainEqual(expect.stringMatching(/snk0|^program/));
  expect((await commands.status()).agent).toEqual({ pid: running.pid, state: "running" });

  await commands.send(1, 2, 2);
  await commands.counted(3);
  const { code } = await running.stop();
  expect(code).toBe(0);
  expect(warnings(running)).toEqual([]);
  const flows = jsonLines<Record<string, unknown>>(running.output);
  expect(flows.map(({ ioamFlowId, packetDeltaCount }) => [ioamFlowId, packetDeltaCount])).toEqual([
    [1, 1],
    [2, 2],
  ]);
  // Forced end: nobody waited for the active timeout.
  expect(flows[0]).toMatchObject({ netns: name, interfaceName: "in0", flowEndReason: 4 });
  expect(await commands.attached()).toEqual(["in0 ingress"]);
  const after = await commands.status();
  expectConserved(after, 3);
  expect(after).toMatchObject({ agent: null, counters: { exportedRecords: 2, rotations: 1 } });
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router, lab.sink);
});

test("onExit: keep leaves everything attached, and the next agent goes on", async () => {
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER, direction: both }]
meter: { maxFlows: 64, namespaces: [123] }
outputs: [{ console: { format: text } }]
onExit: keep
`);
  const first = await commands.agent("-c", file);
  await commands.send(1);
  await commands.counted(1);
  expect((await first.stop()).code).toBe(0);
  expect(first.output).toMatch(/^NETNS +IFACE [^\n]*\n\S+-router +in0 +in +123 +0x1 [^\n]*\n$/);
  expect(await commands.attached()).toEqual(["in0 egress", "in0 ingress"]);
  await commands.send(2);
  await commands.counted(2);

  const second = await commands.agent("-n", "in0", "--netns", name, "--console");
  expect((await second.stop()).code).toBe(0);
  expect(jsonLines(second.output)).toMatchObject([{ ioamFlowId: 2, packetDeltaCount: 1 }]);
  expect(await commands.attached()).toEqual(["in0 egress", "in0 ingress"]);
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});

test("two namespaces; one that is deleted is exported, and the agent goes on with the other", async () => {
  const near = await createNetns("near", `${name}-2`);
  await using far = await createNetns("far", `${name}-2`);
  onTestFinished(() => near.close());
  await near.ip(`link add near0 type veth peer name far0 netns ${far.name}`, "link set near0 up");
  await far.ip("link set far0 up");
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }, { name: near0, netns: ${near.name} }]
meter: { activeTimeout: 200ms, maxFlows: 64 }
outputs: [{ console: { format: json } }]
`);
  const running = await commands.agent("-c", file);
  expect((await commands.status()).attachments.map((one) => one.netns).sort()).toEqual(
    [name, near.name].sort(),
  );
  await commands.send(1);
  await station(far).send("far0", packetOctets(dexPacket({ flowId: 2 })));
  const printed = () => jsonLines<{ netns: string; ioamFlowId: number }>(running.output);
  await eventually("both are exported", () => printed().length === 2);
  const places = printed().map((flow) => [flow.netns, flow.ioamFlowId]);
  expect(places.sort()).toEqual(
    [
      [name, 1],
      [near.name, 2],
    ].sort(),
  );

  await near.close();
  await running.until(/netns was deleted/);
  await eventually("its table is gone", async () => (await commands.status()).tables.length === 1);
  await commands.send(3);
  await eventually("the other goes on", () => printed().some((flow) => flow.ioamFlowId === 3));
  expect((await running.stop()).code).toBe(0);
  expect(warnings(running)).toMatchObject([{ level: "warn", netns: near.name }]);
  await host.clean(lab.router);
});

test("goes on without an interface that somebody detaches, who is told, until it is reloaded", async () => {
  const both = BRISK.replace("]", ", { name: out0, netns: ROUTER }]");
  const running = await commands.agent("-c", await commands.configure(both));
  const { code, stdout, stderr } = await host.ioamctl(["detach", "-n", "in0", "--netns", name]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `in0: detached, ingress (netns ${name})\n` });
  expect(stderr).toBe(
    `ioamctl detach: agent ${running.pid} goes on without in0; what it was told to meter it ` +
      "attaches to again when reloaded or restarted\n",
  );
  expect(await commands.attached()).toEqual(["out0 ingress"]);
  await running.until(/no longer attached/);
  running.child.kill("SIGHUP");
  await running.until(/configuration reloaded/);
  expect(await commands.attached()).toEqual(["in0 ingress", "out0 ingress"]);
  expect((await running.stop()).code).toBe(0);
  await host.clean(lab.router);
});

test("ends with one line when nothing is left to meter", async () => {
  const running = await commands.agent("-c", await commands.configure(BRISK));
  await host.print("detach", "--all", "--netns", name);
  const { code } = await running.ended;
  expect(code).toBe(1);
  expect(running.errors.trimEnd().split("\n").at(-1)).toMatch(
    /^ioamctl agent: every meter was removed, so nothing is left to export: /,
  );
  await host.clean(lab.router);
});

test("ends when nobody reads its console", async () => {
  const running = await commands.agent("-c", await commands.configure(BRISK));
  running.child.stdout!.destroy();
  await commands.send(1);
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(warnings(running)).toEqual([]);
  await host.clean(lab.router);
});

test("what a killed agent had attached goes with the next one", async () => {
  const killed = await commands.agent("-n", "in0", "--netns", name, "--console");
  await commands.send(1);
  await commands.counted(1);
  await killed.stop("SIGKILL");
  expect(await commands.status()).toMatchObject({ agent: null, tables: [{ flows: 1 }] });
  expect(await commands.attached()).toEqual(["in0 ingress"]);
  const next = await commands.agent("-n", "in0", "--netns", name, "--console");
  expect((await next.stop()).code).toBe(0);
  expect(jsonLines(next.output)).toMatchObject([{ ioamFlowId: 1, packetDeltaCount: 1 }]);
  await host.clean(lab.router);
});

describe("what killed agents wrote down of a netns that is gone", () => {
  /** Names of the notes, without the number of the netns. */
  const notes = async (): Promise<string[]> => {
    const { stdout } = await host.run(["sh", "-c", "cd /run/ioamctl && ls *.json* || true"]);
    return stdout.split("\n").filter((line) => /^(agent|trace)/.test(line));
  };
  const rolesOf = (names: string[]): string[] => names.map((file) => file.replace(/\d+/, "N"));

  test.each(["detach --all", "detach --all --netns"])(
    "goes with %s, that of one that runs stays",
    async (line) => {
      const near = await createNetns("near");
      onTestFinished(() => near.close());
      await near.ip("link add near0 type veth peer name far0", "link set near0 up");
      const traces = (netns: string): string => `trace: { source: kernel, netns: [${netns}] }\n`;
      const both = BRISK.replace("in0", "near0").replace("ROUTER", near.name) + traces(near.name);
      const killed = await commands.agent("-c", await commands.configure(both));
      await killed.stop("SIGKILL");
      const left = await notes();
      expect(rolesOf(left)).toEqual(["agent-N.json", "trace-N.json"]);
      const file = await commands.configure(`outputs: [{ console: {} }]\n${traces(name)}`);
      const running = await commands.agent("-c", file);
      const others = (await notes()).filter((one) => !left.includes(one));
      expect(rolesOf(others)).toEqual(["trace-N.json"]);
      // One that was not wholly written.
      await host.run(["touch", `/run/ioamctl/${left[0]}.new`]);

      await near.close();
      const args = line.split(" ");
      await host.print(...args, ...(args.includes("--netns") ? [near.name] : []));
      expect(await notes()).toEqual(others);
      await running.stop();
      await host.print("detach", "--all");
      expect(await notes()).toEqual([]);
      await host.clean(lab.router);
    },
  );
});
