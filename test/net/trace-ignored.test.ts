// Kernel events that nobody could read, as the options records count them: all since the agent began.
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { configOf } from "../../src/agent/config/schema.ts";
import { IgnoredPackets } from "../../src/agent/options/ignored-packets.ts";
import { forgetTraceLedger } from "../../src/agent/trace/trace-ledger.ts";
import { TraceSources } from "../../src/agent/trace/trace-sources.ts";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { setUpNode, traceOption } from "../lab/ioam-kernel.ts";
import { packetOctets } from "../lab/packet.ts";
import { router } from "../lab/router.ts";
import { station } from "../lab/station.ts";
import { inodeOf } from "./private-host.ts";

/** The observation domain of all. */
const DOMAIN = 1;

/** A trace whose last octets are no whole node: the kernel adds its own before them. */
function malformed(): Uint8Array {
  const trace = traceOption({ namespace: 123, traceType: 0xf00000, nodes: [], room: 16 });
  if (trace.kind !== "trace") throw new Error("another option");
  const data = new Uint8Array(20);
  return packetOctets(dexPacket({ before: [{ ...trace, data }] }));
}

test("before the first look, and of network namespaces that were let go of", async () => {
  await using lab = await router();
  await setUpNode(lab.router, {
    id: 42,
    interfaces: {},
    enabled: ["in0"],
    namespaces: [{ id: 123 }],
  });
  const inode = inodeOf(lab.router);
  const sender = station(lab.source);
  const config = (netns: string) =>
    configOf({ trace: { source: "kernel", netns: [netns] }, outputs: [{ console: {} }] });
  const ignored = new IgnoredPackets(() => DOMAIN);
  const sources = new TraceSources(() => [], pino({ level: "silent" }), {
    closed: (source) => ignored.lookLast(source),
    gone: () => {},
  });
  onTestFinished(async () => {
    await sources.close();
    forgetTraceLedger(inode);
  });
  const sent = async (count: number): Promise<void> => {
    await sender.send("src0", ...Array.from({ length: count }, malformed));
  };
  const packets = (count: number) =>
    eventually(`${count} events`, () => {
      ignored.look(sources.ignored());
      return ignored.countsIn(DOMAIN).packets === count;
    });

  await sources.goOver(config(lab.router.name));
  await sent(3);
  await eventually("they came", () => sources.ignored().some((one) => one.packets === 3));
  await packets(3);
  await sent(2);
  // Not looked at before it is closed.
  await eventually("they came", () => sources.ignored().some((one) => one.packets === 5));
  await sources.goOver(config(lab.sink.name));
  await packets(5);
  await sources.goOver(config(lab.router.name));
  await packets(5);
  await sent(4);
  await packets(9);
  expect(ignored.countsIn(DOMAIN)).toMatchObject({ records: 0, octets: 0 });
});
