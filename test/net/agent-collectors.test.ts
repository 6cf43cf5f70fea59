// The agent and its collectors: none that listens, another one by SIGHUP, SIGTERM during traffic.
import { afterAll, beforeAll, expect, test } from "vitest";
import { collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { generator } from "../lab/generator.ts";
import type { RouterLab } from "../lab/router.ts";
import { sink } from "../lab/sink.ts";
import { freeUdpPort } from "../lab/udp-port.ts";
import { CommandLab, jsonLines, type LogLine, warnings } from "./command-lab.ts";
import { EndlessTraffic } from "./endless-traffic.ts";
import type { PrivateHost } from "./private-host.ts";
import { expectConserved } from "./status-json.ts";

let commands: CommandLab;
let host: PrivateHost;
let lab: RouterLab;
let name: string;

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host, lab, name } = commands);
});

afterAll(() => commands?.close());

test("goes on without a collector that listens, counts, and says so once", async () => {
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "64");
  const target = `[::1]:${await freeUdpPort("::1")}`;
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 100ms }
collectors: [{ address: "${target}" }]
`);
  const running = await commands.agent("-c", file);
  for (let flow = 1; flow <= 5; flow++) {
    await commands.send(flow);
    await eventually("it was exported or dropped", async () => {
      const { exportedRecords, droppedRecords } = (await commands.status()).counters;
      return exportedRecords! + droppedRecords! === flow;
    });
  }
  expect((await running.stop()).code).toBe(0);
  const [refused, ...others] = warnings(running);
  expect(refused).toMatchObject({
    level: "warn",
    collector: `udp ${target}`,
    refusals: expect.any(Number),
    msg: "nobody listens there: what was sent before is lost",
  });
  expect(others).toEqual([]);
  expectConserved(await commands.status(), 5);
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});

test("at the end of an agent whose collector is down the flows stay, for the next one", async () => {
  const down = await freeUdpPort("::1");
  const text = (collectorLine: string) => `
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 1h, maxFlows: 64 }
collectors: [${collectorLine}]
`;
  const file = await commands.configure(text(`{ address: "[::1]:${down}", transport: tcp }`));
  const first = await commands.agent("-c", file);
  await commands.send(1, 2, 3);
  const { collectors } = await eventually("status shows the collector", async () => {
    const status = await commands.status();
    return status.collectors.length > 0 && status;
  });
  expect(collectors).toMatchObject([
    { name: `tcp [::1]:${down}`, state: "waiting", records: 0, droppedRecords: 0 },
  ]);
  expect(collectors[0]!.error).toMatch(/ECONNREFUSED/);
  expect((await first.stop()).code).toBe(1);
  const left = await commands.status();
  expect(left.tables).toMatchObject([{ flows: 3 }]);
  expect(left.counters).toMatchObject({ exportedRecords: 0, droppedRecords: 0 });

  await using receiver = await collector();
  await commands.configure(text(`{ address: "${receiver.target}" }`));
  const second = await commands.agent("-c", file);
  await eventually("it has exported them", async () => {
    return (await commands.status()).counters.exportedRecords === 3;
  });
  expect((await second.stop()).code).toBe(0);
  const sender = await receiver.sender();
  expect([...(await exportedFlows(sender.file)).flows.keys()].sort()).toEqual([1, 2, 3]);
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
  const file = await commands.configure(text(in0, old));
  const running = await commands.agent("-c", file);
  let reloads = 0;
  const reload = async (config: string) => {
    await commands.configure(config);
    running.child.kill("SIGHUP");
    reloads++;
    const answers = () => running.errors.match(/"msg":"configuration (not )?reloaded/g) ?? [];
    await eventually("it answers", () => answers().length === reloads);
    return jsonLines<LogLine>(running.errors).findLast(({ msg }) => msg.startsWith("conf"))!;
  };

  expect(await reload(text(`${in0}, ${out0}`, young))).toMatchObject({ level: "info" });
  expect(await commands.attached()).toEqual(["in0 ingress", "out0 egress"]);
  await commands.send(1, 2);
  await eventually("both are exported", async () => {
    return (await commands.status()).counters.exportedRecords === 4;
  });
  // The file has what had come when the collector was asked.
  const sender = await young.sender();
  expect([...(await exportedFlows(sender.file)).flows.keys()].sort()).toEqual([1, 2]);
  // Templates at most: no flow was there while it was the collector.
  for (const { file } of await old.senders()) expect((await exportedFlows(file)).records).toBe(0);

  for (const [config, code] of [
    [text(`${in0}, { name: none0, netns: ROUTER }`, old), "NO_SUCH_INTERFACE"],
    [text(in0, young, "observationDomainId: 9"), "RELOAD_REFUSED"],
    [text(in0, young, "colour: red"), "CONFIG_INVALID"],
  ] as const) {
    expect(await reload(config)).toMatchObject({ level: "error", err: { code } });
    expect(await commands.attached()).toEqual(["in0 ingress", "out0 egress"]);
  }
  expect(await reload(text(out0, young))).toMatchObject({ level: "info" });
  expect(await commands.attached()).toEqual(["out0 egress"]);
  expect((await running.stop()).code).toBe(0);
  await host.clean(lab.router);
});

test("SIGTERM during traffic: everything is exported or still in the table", async () => {
  await using receiver = await collector();
  using gen = generator(lab.source, "src0", { flows: 2000 });
  using far = sink(lab.sink, "snk0", gen);
  await host.print("attach", "-n", "in0", "--netns", name, "--max-flows", "8192");
  const file = await commands.configure(`
interfaces: [{ name: in0, netns: ROUTER }]
meter: { activeTimeout: 200ms }
collectors: [{ address: "${receiver.target}", mtu: 1400 }]
`);
  const running = await commands.agent("-c", file);
  const traffic = new EndlessTraffic(gen);
  await eventually(
    "it exports",
    async () => (await commands.status()).counters.exportedRecords! > 2000,
  );
  const { code } = await running.stop();
  await traffic.goesOn();
  const sent = await traffic.stop(far);
  expect(code).toBe(0);
  expect(warnings(running)).toEqual([]);
  const after = await commands.status();
  expectConserved(after, sent);
  const { flows, gaps, records } = await exportedFlows((await receiver.sender()).file);
  const received = [...flows.values()].reduce((sum, flow) => sum + flow.packets, 0);
  expect(gaps).toBe(0);
  expect(after.counters).toMatchObject({ exportedPackets: received, exportedRecords: records });
  await host.print("detach", "--all", "--netns", name);
  await host.clean(lab.router);
});
