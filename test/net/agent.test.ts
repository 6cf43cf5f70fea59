// The agent as an operator sees it: what it attaches and leaves, its signals, its collectors.
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { collector } from "../lab/collector.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { generator } from "../lab/generator.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { createNetns } from "../lab/netns.ts";
import { packetOctets } from "../lab/packet.ts";
import type { Background } from "../lab/process.ts";
import { freeUdpPort } from "../lab/replay.ts";
import { type RouterLab, router } from "../lab/router.ts";
import { sink } from "../lab/sink.ts";
import { type Station, station } from "../lab/station.ts";
import { PrivateHost } from "./private-host.ts";
import { expectConserved, type StatusJson } from "./status-json.ts";

let host: PrivateHost;
let lab: RouterLab;
let sender: Station;
let folder: Folder;
let name: string;

beforeAll(async () => {
  folder = await temporaryFolder("agent");
  [host, lab] = await Promise.all([PrivateHost.start(), router()]);
  sender = station(lab.source);
  name = lab.router.name;
});

afterAll(async () => {
  await Promise.allSettled([lab?.close(), host?.close(), folder?.remove()]);
});

/** A line that an agent logs. */
type LogLine = { level: string; msg: string; err?: { code: string } } & Record<string, unknown>;

/** Starts `ioamctl agent` with these arguments; it runs when this returns. */
async function agent(...args: string[]): Promise<Background> {
  const started = host.start(["agent", ...args]);
  onTestFinished(async () => {
    await started.stop("SIGKILL");
    await host.ioamctl(["detach", "--all"]);
  });
  await started.until(/"msg":"running"/);
  return started;
}

function jsonLines<T>(text: string): T[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}

function warnings(of: Background): LogLine[] {
  return jsonLines<LogLine>(of.errors).filter(({ level }) => level !== "info");
}

async function status(): Promise<StatusJson> {
  return host.json<StatusJson>("status");
}

/** "in0 ingress" of every attachment. */
async function attached(): Promise<string[]> {
  const { attachments } = await status();
  return attachments.map((one) => `${one.interfaceName} ${one.direction}`).sort();
}

/** A packet of each of these flows; the router forwards them all. */
async function send(...flowIds: number[]): Promise<void> {
  const packets = flowIds.map((flowId) => dexPacket({ flowId }));
  await sender.send("src0", ...packets.map(packetOctets));
}

/** Writes (again) a configuration; its path. */
async function configure(text: string, file = "agent.yaml"): Promise<string> {
  const path = join(folder.path, file);
  await writeFile(`${path}.new`, text.replace(/\bROUTER\b/g, name));
  await rename(`${path}.new`, path);
  return path;
}

test("leaves what `attach` attached, takes off what it attached itself, and is the only one", async () => {
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "64");
  const running = await agent("-n", "in0", "out0", "--netns", name, "--console");
  expect(await attached()).toEqual(["in0 ingress", "out0 ingress"]);
  expect((await status()).agent).toEqual({ pid: running.pid, state: "running" });

  const busy = new RegExp(`^ioamctl agent: an agent \\(pid ${running.pid}\\) already [^\\n]*\\n$`);
  const second = await host.ioamctl(["agent", "-n", "in0", "--netns", name, "--console"]);
  expect([second.code, second.stdout]).toEqual([1, ""]);
  expect(second.stderr).toMatch(busy);
  // One for a free namespace and this one has neither.
  const file = await configure(`
interfaces: [{ name: snk0, netns: ${lab.sink.name} }, { name: in0, netns: ROUTER }]
outputs: [{ console: {} }]
`);
  const both = await host.ioamctl(["agent", "-c", file]);
  expect(both.code).toBe(1);
  expect(both.stderr).toMatch(
    new RegExp(`^(\\{[^\\n]*"level":"info"[^\\n]*\\}\\n)*${busy.source.slice(1)}`),
  );
  expect(await host.leftovers(lab.sink)).not.toContainEqual(expect.stringMatching(/snk0|^program/));
  expect((await status()).agent).toEqual({ pid: running.pid, state: "running" });

  await send(1, 2, 2);
  await eventually("all arrived", async () => (await status()).counters.dexPackets === 3);
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
  expect(await attached()).toEqual(["in0 ingress"]);
  const after = await status();
  expectConserved(after, 3);
  expect(after).toMatchObject({ agent: null, counters: { exportedRecords: 2, rotations: 1 } });
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router, lab.sink);
});

test("goes on without a collector that listens, counts, and says so once", async () => {
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "64");
  const target = `[::1]:${await freeUdpPort("::1")}`;
  const file = await configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms }
collectors: [{ address: "${target}" }]
`);
  const running = await agent("-c", file);
  for (let flow = 1; flow <= 5; flow++) {
    await send(flow);
    await eventually("it was exported or dropped", async () => {
      const { exportedRecords, droppedRecords } = (await status()).counters;
      return exportedRecords! + droppedRecords! === flow;
    });
  }
  expect((await running.stop()).code).toBe(0);
  const [refused, ...others] = warnings(running);
  expect(refused).toMatchObject({
    level: "warn",
    collector: target,
    refusals: expect.any(Number),
    msg: "nobody listens there: what was sent before is lost",
  });
  expect(others).toEqual([]);
  expectConserved(await status(), 5);
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});

test("onExit: keep leaves everything attached, and the next agent goes on", async () => {
  const file = await configure(`
interfaces: [{ name: in0, netns: ROUTER, direction: both }]
meter: { maxFlows: 64, namespaces: [123] }
outputs: [{ console: { format: text } }]
onExit: keep
`);
  const first = await agent("-c", file);
  await send(1);
  await eventually("it arrived", async () => (await status()).counters.dexPackets === 1);
  expect((await first.stop()).code).toBe(0);
  expect(first.output).toMatch(/^NETNS +IFACE [^\n]*\n\S+-router +in0 +in +123 +0x1 [^\n]*\n$/);
  expect(await attached()).toEqual(["in0 egress", "in0 ingress"]);
  await send(2);
  await eventually("it arrived", async () => (await status()).counters.dexPackets === 2);

  const second = await agent("-n", "in0", "--netns", name, "--console");
  expect((await second.stop()).code).toBe(0);
  expect(jsonLines(second.output)).toMatchObject([{ ioamFlowId: 2, packetDeltaCount: 1 }]);
  expect(await attached()).toEqual(["in0 egress", "in0 ingress"]);
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});

test("SIGHUP reads the configuration again; a bad one changes nothing", async () => {
  await using old = await collector();
  await using young = await collector();
  const text = (interfaces: string, receiver: { target: string }, more = "") => `
interfaces: [${interfaces}]
meter: { activeTimeout: 100ms, maxFlows: 64 }
collectors: [{ address: "${receiver.target}" }]
${more}`;
  const in0 = "{ name: in0, netns: ROUTER }";
  const out0 = "{ name: out0, netns: ROUTER, direction: egress }";
  const file = await configure(text(in0, old));
  const running = await agent("-c", file);
  let reloads = 0;
  const reload = async (config: string) => {
    await configure(config);
    running.child.kill("SIGHUP");
    reloads++;
    const answers = () => running.errors.match(/"msg":"configuration (not )?reloaded/g) ?? [];
    await eventually("it answers", () => answers().length === reloads);
    return jsonLines<LogLine>(running.errors).findLast(({ msg }) => msg.startsWith("conf"))!;
  };

  expect(await reload(text(`${in0}, ${out0}`, young))).toMatchObject({ level: "info" });
  expect(await attached()).toEqual(["in0 ingress", "out0 egress"]);
  await send(1, 2);
  const sender = await young.sender();
  await eventually("both are exported", async () => {
    return (await status()).counters.exportedRecords === 4;
  });
  expect([...(await exportedFlows(sender.file)).flows.keys()].sort()).toEqual([1, 2]);
  expect(await old.senders()).toEqual([]);

  for (const [config, code] of [
    [text(`${in0}, { name: none0, netns: ROUTER }`, old), "NO_SUCH_INTERFACE"],
    [text(in0, young, "observationDomainId: 9"), "RELOAD_REFUSED"],
    [text(in0, young, "colour: red"), "CONFIG_INVALID"],
  ] as const) {
    expect(await reload(config)).toMatchObject({ level: "error", err: { code } });
    expect(await attached()).toEqual(["in0 ingress", "out0 egress"]);
  }
  expect(await reload(text(out0, young))).toMatchObject({ level: "info" });
  expect(await attached()).toEqual(["out0 egress"]);
  expect((await running.stop()).code).toBe(0);
  await host.clean(lab.router);
});

test("SIGTERM during traffic: everything is exported or still in the table", async () => {
  await using receiver = await collector();
  using gen = generator(lab.source, "src0", { flows: 2000 });
  using far = sink(lab.sink, "snk0", gen);
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "8192");
  const file = await configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 200ms }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  const running = await agent("-c", file);
  const sending = gen.send({ packets: 100_000, rate: 100_000 });
  await eventually("it exports", async () => (await status()).counters.exportedRecords! > 2000);
  const { code } = await running.stop();
  expect(gen.packets).toBeLessThan(100_000);
  await sending;
  await far.arrived(100_000);
  expect(code).toBe(0);
  expect(warnings(running)).toEqual([]);
  const after = await status();
  expectConserved(after, 100_000);
  const { flows, gaps, records } = await exportedFlows((await receiver.sender()).file);
  const received = [...flows.values()].reduce((sum, flow) => sum + flow.packets, 0);
  expect(gaps).toBe(0);
  expect(after.counters).toMatchObject({ exportedPackets: received, exportedRecords: records });
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});

test("two namespaces; one that is deleted is exported, and the agent goes on with the other", async () => {
  const near = await createNetns("near", `${name}-2`);
  await using far = await createNetns("far", `${name}-2`);
  onTestFinished(() => near.close());
  await near.ip(`link add near0 type veth peer name far0 netns ${far.name}`, "link set near0 up");
  await far.ip("link set far0 up");
  const file = await configure(`
interfaces: [{ name: in0, netns: ROUTER }, { name: near0, netns: ${near.name} }]
meter: { activeTimeout: 200ms, maxFlows: 64 }
outputs: [{ console: { format: json } }]
`);
  const running = await agent("-c", file);
  expect((await status()).attachments.map((one) => one.netns).sort()).toEqual(
    [name, near.name].sort(),
  );
  await send(1);
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
  await eventually("its table is gone", async () => (await status()).tables.length === 1);
  await send(3);
  await eventually("the other goes on", () => printed().some((flow) => flow.ioamFlowId === 3));
  expect((await running.stop()).code).toBe(0);
  expect(warnings(running)).toMatchObject([{ level: "warn", netns: near.name }]);
  await host.clean(lab.router);
});

test("ends with one line when nothing is left to meter", async () => {
  const running = await agent("-n", "in0", "--netns", name, "--console");
  await host.print("detach", "--all", "--netns", name);
  const { code } = await running.ended;
  expect(code).toBe(1);
  expect(running.errors.trimEnd().split("\n").at(-1)).toMatch(
    /^ioamctl agent: every meter or its netns was removed, so nothing is left to export: /,
  );
  await host.clean(lab.router);
});

test("ends when nobody reads its console", async () => {
  const file = await configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms, maxFlows: 64 }
outputs: [{ console: {} }]
`);
  const running = await agent("-c", file);
  running.child.stdout!.destroy();
  await send(1);
  expect(await running.ended).toEqual({ code: 0, signal: null });
  expect(warnings(running)).toEqual([]);
  await host.clean(lab.router);
});

test("what a killed agent had attached goes with the next one", async () => {
  const killed = await agent("-n", "in0", "--netns", name, "--console");
  await send(1);
  await eventually("it arrived", async () => (await status()).counters.dexPackets === 1);
  await killed.stop("SIGKILL");
  expect(await status()).toMatchObject({ agent: null, tables: [{ flows: 1 }] });
  expect(await attached()).toEqual(["in0 ingress"]);
  const next = await agent("-n", "in0", "--netns", name, "--console");
  expect((await next.stop()).code).toBe(0);
  expect(jsonLines(next.output)).toMatchObject([{ ioamFlowId: 1, packetDeltaCount: 1 }]);
  await host.clean(lab.router);
});
