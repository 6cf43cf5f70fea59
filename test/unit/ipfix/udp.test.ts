// UDP, with the addon and without: what is sent arrives, refusals, a full socket, a narrow path.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  openUdp,
  recordLayout,
  Template,
  type Transport,
} from "../../../src/ipfix/index.ts";
import { openUdpBatch } from "../../../src/native/udp-batch.ts";
import { Decoder, unsignedValue, type WireMessage } from "../../conformance/decoder.ts";
import { closedAfterEach } from "../../lab/closed-after-each.ts";
import { Collector, type Sender } from "../../lab/collector.ts";
import { eventually } from "../../lab/eventually.ts";
import { messages } from "../../lab/ipfix-messages.ts";
import { createNetns } from "../../lab/netns.ts";
import { freeUdpPort } from "../../lab/udp-port.ts";
import { destinationOf } from "./memory-transport.ts";

const layout = recordLayout({ number: 8 });
const encoder = compileEncoder(
  new Template(256, [
    {
      element: new ElementRegistry().get("flowId"),
      source: { kind: "unsigned", field: "number" },
    },
  ]),
  layout,
);

const opened = closedAfterEach();

function sessionOn(transport: Transport, mtu?: number): ExportingProcess {
  const destination = destinationOf(async () => transport);
  const options = { destination, observationDomainId: 1, encoders: [encoder] };
  return opened(new ExportingProcess(mtu === undefined ? options : { ...options, mtu }));
}

async function exportNumbers(session: ExportingProcess, count: number): Promise<void> {
  const numbers = BigUint64Array.from({ length: count }, (_, i) => BigInt(i));
  const offsets = Uint32Array.from({ length: count }, (_, i) => 2 * i);
  const result = await session.export(numbers.buffer, offsets, count, new Uint8Array(count));
  expect(result).toMatchObject({ sent: count, error: undefined });
}

async function decode({ file }: Sender): Promise<WireMessage[]> {
  const decoder = new Decoder();
  const decoded = Array.from(messages(await readFile(file)), ({ octets }) =>
    decoder.decode(octets),
  );
  expect(decoder.gaps).toBe(0);
  return decoded;
}

function numbers(decoded: readonly WireMessage[]): number[] {
  return decoded.flatMap(({ records }) =>
    records.map(({ values }) => Number(unsignedValue(values[0]!))),
  );
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.each([
  ["127.0.0.1", true],
  ["::1", true],
  ["127.0.0.1", false],
  ["::1", false],
])("to %s, addon %s", (host, native) => {
  it("everything arrives, in order and in packets of the size asked for", async () => {
    const collector = opened(await Collector.start({ address: host }));
    const session = sessionOn(await openUdp({ host, port: collector.port, native }), 1400);
    await exportNumbers(session, 20_000);
    const { messages: sent, octets } = session.counters;
    const sender = await collector.sender(sent);
    const header = host === "::1" ? 48 : 28;
    const longest = 20 + 8 * Math.floor((1400 - header - 20) / 8);
    expect(sender).toMatchObject({ datagrams: sent, longest });
    const decoded = await decode(sender);
    expect(numbers(decoded)).toEqual(range(20_000));
    expect(decoded.reduce((sum, { length }) => sum + length, 0)).toBe(octets);
  });

  it("a collector that is not there is counted; when it comes it gets templates first", async () => {
    const port = await freeUdpPort(host);
    const session = sessionOn(await openUdp({ host, port, native }), 1400);
    for (let i = 0; i < 5; i++) await exportNumbers(session, 1000);
    await eventually("a refusal", async () => {
      await exportNumbers(session, 10);
      return session.counters.refusals > 0;
    });
    expect(session.counters.droppedRecords).toBe(0);
    const collector = opened(await Collector.start({ address: host, port }));
    await exportNumbers(session, 1000);
    const sender = await collector.sender(2);
    const decoded = await decode(sender);
    expect(decoded[0]?.templates).toHaveLength(1);
    expect(numbers(decoded)).toEqual(range(1000));
  });

  it("a session that is closed sends no more", async () => {
    const transport = await openUdp({ host, port: await freeUdpPort(host), native });
    transport.close();
    transport.close();
    const session = sessionOn(transport);
    const result = await session.export(new ArrayBuffer(8), Uint32Array.of(0), 1, [0]);
    expect(result).toMatchObject({ sent: 0, error: { code: "EBADF" } });
  });
});

describe("the path's MTU", () => {
  it("is known with the addon; the loopback interface's is not taken whole", async () => {
    const collector = opened(await Collector.start({ address: "127.0.0.1" }));
    const transport = await openUdp({ host: "127.0.0.1", port: collector.port, native: true });
    expect(transport.pathMtu()).toBeGreaterThan(9000);
    const session = sessionOn(transport);
    await exportNumbers(session, 20_000);
    const { longest } = await collector.sender(session.counters.messages);
    expect(longest).toBe(20 + 8 * Math.floor((9000 - 28 - 20) / 8));
  });

  it("is not known without it: packets of 512 octets", async () => {
    const collector = opened(await Collector.start({ address: "::1" }));
    const transport = await openUdp({ host: "::1", port: collector.port, native: false });
    expect(transport.pathMtu()).toBeUndefined();
    const session = sessionOn(transport);
    await exportNumbers(session, 1000);
    const { longest } = await collector.sender(session.counters.messages);
    expect(longest).toBe(20 + 8 * Math.floor((512 - 48 - 20) / 8));
  });
});

describe("opening", () => {
  it("says when a name does not resolve", async () => {
    await expect(openUdp({ host: "no-such-host.invalid" })).rejects.toMatchObject({
      code: "COLLECTOR_UNKNOWN",
    });
  });

  it("says when an address has no meaning here", async () => {
    await expect(openUdp({ host: "fe80::1%no-such-if", native: true })).rejects.toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
    });
  });

  it("resolves names", async () => {
    const transport = opened(await openUdp({ host: "localhost", port: 9 }));
    expect([28, 48]).toContain(transport.headerLength);
  });
});

describe("the addon's socket", () => {
  it("refuses lengths and offsets beyond the buffer", () => {
    const socket = opened(openUdpBatch({ address: "127.0.0.1", port: 9, family: 4 }));
    const buffer = new Uint8Array(100);
    for (const [offset, length, segment] of [
      [0, 101, 50],
      [101, 1, 1],
      [-1, 10, 10],
      [0, 0, 10],
      [0, 10, 0],
      [0, 100, 65508],
    ] as const) {
      expect(() => socket.send(buffer, offset, length, segment)).toThrowError(
        expect.objectContaining({ code: "EINVAL" }),
      );
    }
    expect(() => socket.send({} as Uint8Array, 0, 1, 1)).toThrow();
  });

  it("takes parts of larger buffers", async () => {
    const collector = opened(await Collector.start({ address: "127.0.0.1" }));
    const peer = { address: "127.0.0.1", port: collector.port, family: 4 as const };
    const socket = opened(openUdpBatch(peer));
    const whole = Uint8Array.from({ length: 1000 }, (_, i) => i);
    expect(socket.send(whole.subarray(100, 900), 50, 105, 50)).toBe(105);
    const { file, datagrams } = await collector.sender(3);
    expect(datagrams).toBe(3);
    expect(new Uint8Array(await readFile(file))).toEqual(whole.subarray(150, 255));
  });

  it("lets a wait end when it is closed", async () => {
    const socket = openUdpBatch({ address: "127.0.0.1", port: 9, family: 4 });
    const waits = [socket.writable(), socket.writable()];
    socket.close();
    await Promise.all(waits);
    expect(() => socket.send(new Uint8Array(1), 0, 1, 1)).toThrowError(
      expect.objectContaining({ code: "EBADF" }),
    );
    expect(socket.pathMtu()).toBeUndefined();
  });
});

describe("a worker", () => {
  it("may end while it waits", async () => {
    const addon = new URL("../../../native/build/Release/udp-batch.node", import.meta.url);
    const code = `
      const { Socket } = require(${JSON.stringify(fileURLToPath(addon))});
      new Socket("127.0.0.1", 9, 4, 0).writable();
      new Socket("::1", 9, 6, 0).writable().then(() => {});
      process.exit(3);`;
    for (let i = 0; i < 10; i++) {
      const [exitCode] = (await once(new Worker(code, { eval: true }), "exit")) as [number];
      expect(exitCode).toBe(3);
    }
  });
});

describe("in a namespace of its own", () => {
  const script = fileURLToPath(new URL("send-in-netns.ts", import.meta.url));

  it("a slow interface fills the socket, which is waited for off the event loop", async () => {
    await using netns = await createNetns("slow");
    await using collector = await Collector.start({ address: "127.0.0.1", netns });
    await netns.run("tc", "qdisc add dev lo root tbf rate 40mbit burst 32kb limit 16mb".split(" "));
    const args = [
      "--import",
      "tsx",
      script,
      "export",
      "127.0.0.1",
      String(collector.port),
      "200000",
    ];
    const { stdout } = await netns.run("node", args);
    const result = JSON.parse(stdout) as Record<string, number>;
    expect(result).toMatchObject({ sent: 200_000, records: 200_000, droppedRecords: 0 });
    expect(result.waits).toBeGreaterThan(0);
    // 1.6 MB at 40 Mbit/s are 320 ms, during which a timer of 1 ms must have gone on.
    expect(result.ticks).toBeGreaterThan(30);
    const sender = await collector.sender(result.messages);
    expect(numbers(await decode(sender))).toEqual(range(200_000));
  });

  it.each(["native", "node"])("a network without a route is an error at once (%s)", async (way) => {
    await using netns = await createNetns("alone");
    for (const host of ["192.0.2.1", "2001:db8::1"]) {
      const args = ["--import", "tsx", script, "open", host, "4739", way];
      const { stdout } = await netns.run("node", args);
      const error = JSON.parse(stdout) as { code: string; message: string };
      expect(error.code).toBe("COLLECTOR_UNREACHABLE");
      expect(error.message).toMatch(`cannot reach the collector ${host} port 4739 (ENETUNREACH)`);
    }
  });

  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
  ])("datagrams longer than the path's MTU are refused, not fragmented (%s)", async (host, at) => {
    await using netns = await createNetns("narrow");
    await using collector = await Collector.start({ address: at, netns });
    await netns.ip("link set lo mtu 1300");
    const args = ["--import", "tsx", script, "oversize", host, String(collector.port)];
    const { stdout } = await netns.run("node", args);
    expect(JSON.parse(stdout)).toEqual({
      pathMtu: 1300,
      long: "EMSGSIZE",
      longBatch: "EMSGSIZE",
      short: 10 * 1200,
    });
    expect(await collector.sender(10)).toMatchObject({ datagrams: 10, longest: 1200 });
  });
});
