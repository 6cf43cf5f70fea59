// A router with a narrower link behind it: messages become shorter, and nothing is ever fragmented.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Decoder, unsignedValue } from "../conformance/decoder.ts";
import { Collector } from "../lab/collector.ts";
import { Dialogue } from "../lab/dialogue.ts";
import { eventually } from "../lab/eventually.ts";
import { messages } from "../lab/ipfix-messages.ts";
import type { Netns } from "../lab/netns.ts";
import { ADDRESS, type RouterLab, router } from "../lab/router.ts";

const NARROW = 1300;
const SCRIPT = fileURLToPath(new URL("export-on-demand.ts", import.meta.url));
const IPV4 = { source: "198.51.100.1", sink: "203.0.113.1" };

/** What one call of `export` did. */
interface Exported {
  first: number;
  sent: number;
  dropped: number;
  error?: string;
  pathMtu: number;
}

/** The session in the source's namespace. */
class Exporter {
  readonly #dialogue: Dialogue;

  constructor(lab: RouterLab, host: string, port: number) {
    const args = ["--import", "tsx", SCRIPT, host, String(port)];
    this.#dialogue = new Dialogue(lab.source.start("node", args));
  }

  async opened(): Promise<{ pathMtu: number }> {
    return JSON.parse(await this.#dialogue.listen()) as { pathMtu: number };
  }

  async export(count: number): Promise<Exported> {
    return JSON.parse(await this.#dialogue.ask(String(count))) as Exported;
  }
}

/** IPv4 beside the lab's IPv6. */
async function addIPv4({ source, router: middle, sink }: RouterLab): Promise<void> {
  await middle.sysctl({ "net.ipv4.ip_forward": 1 });
  await middle.ip("addr add 198.51.100.2/24 dev in0", "addr add 203.0.113.2/24 dev out0");
  await source.ip(
    `addr add ${IPV4.source}/24 dev src0`,
    "route add 203.0.113.0/24 via 198.51.100.2",
  );
  await sink.ip(`addr add ${IPV4.sink}/24 dev snk0`, "route add default via 203.0.113.2");
}

/** What the kernel counts of fragments made and received. */
const FRAGMENTS = ["FragOKs", "FragCreates", "ReasmReqds"].flatMap((n) => [`Ip${n}`, `Ip6${n}`]);

/** Counters of the kernel, by name. */
async function counters(netns: Netns): Promise<Record<string, number>> {
  const { stdout } = await netns.run("nstat", ["-asz", "--json"]);
  return (JSON.parse(stdout) as { kernel: Record<string, number> }).kernel;
}

/** Messages of the numbers from `first` on: their longest, and the numbers. */
async function received(file: string, first: number) {
  const decoder = new Decoder();
  const numbers: number[] = [];
  let longest = 0;
  for (const { octets } of messages(await readFile(file))) {
    const values = decoder
      .decode(octets)
      .records.map((record) => Number(unsignedValue(record.values[0]!)));
    if (values.length === 0 || values[0]! < first) continue;
    numbers.push(...values);
    longest = Math.max(longest, octets.length);
  }
  return { numbers, longest };
}

const fullMessage = (mtu: number, headers: number): number =>
  20 + 8 * Math.floor((mtu - headers - 20) / 8);

describe.each([
  ["IPv6", ADDRESS.sink, 48],
  ["IPv4", IPV4.sink, 28],
])("over %s", (_, address, headers) => {
  it("messages follow the path's MTU, never in fragments", async () => {
    await using lab = await router({ replies: true });
    await addIPv4(lab);
    await using collector = await Collector.start({ address, netns: lab.sink });
    const exporter = new Exporter(lab, address, collector.port);
    expect(await exporter.opened()).toEqual({ pathMtu: 1500 });

    const wide = await exporter.export(20_000);
    expect(wide).toMatchObject({ sent: 20_000, dropped: 0, pathMtu: 1500 });
    const before = await eventually("all records", async () => {
      const { file } = await collector.sender();
      const all = await received(file, 0);
      return all.numbers.length === 20_000 && all;
    });
    expect(before.longest).toBe(fullMessage(1500, headers));

    await lab.router.ip(`link set out0 mtu ${NARROW}`);
    await lab.sink.ip(`link set snk0 mtu ${NARROW}`);
    await eventually("the router has said so", async () => {
      const { sent, dropped, pathMtu } = await exporter.export(20_000);
      // What the narrower path refused was encoded once more.
      expect({ sent, dropped }).toEqual({ sent: 20_000, dropped: 0 });
      return pathMtu === NARROW;
    });

    const narrow = await exporter.export(20_000);
    expect(narrow).toMatchObject({ sent: 20_000, dropped: 0, pathMtu: NARROW });
    const after = await eventually("all records", async () => {
      const { file } = await collector.sender();
      const all = await received(file, narrow.first);
      return all.numbers.length >= 20_000 && all;
    });
    expect(after.numbers).toEqual(Array.from({ length: 20_000 }, (_, i) => narrow.first + i));
    expect(after.longest).toBe(fullMessage(NARROW, headers));
    for (const netns of [lab.source, lab.router, lab.sink]) {
      const counted = await counters(netns);
      expect(FRAGMENTS.map((name) => [name, counted[name]])).toEqual(
        FRAGMENTS.map((name) => [name, 0]),
      );
    }
  });
});
