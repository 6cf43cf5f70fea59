// TCP: what a destination takes, how it finds the collector, and when it gives up.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type TcpOptions, tcpDestination } from "../../../src/ipfix/index.ts";
import { Attempt } from "../../../src/ipfix/transport/attempt.ts";
import { connectFirst } from "../../../src/ipfix/transport/stream-connect.ts";
import { streamTarget } from "../../../src/ipfix/transport/stream-target.ts";
import { ipfixDump } from "../../lab/ipfixdump.ts";
import { createNetns } from "../../lab/netns.ts";
import { run } from "../../lab/process.ts";
import { sampleMessages } from "../../lab/sample-messages.ts";
import { StreamCollector, type StreamCollectorOptions } from "../../lab/stream-collector.ts";
import { connected, sendAll } from "../../lab/transport-session.ts";

const script = fileURLToPath(new URL("stream-session.ts", import.meta.url));

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

function opened<T extends { close(): unknown }>(one: T): T {
  closing.push(one);
  return one;
}

async function collector(o: StreamCollectorOptions = {}): Promise<StreamCollector> {
  return opened(await StreamCollector.start(o));
}

/** One whose backlog is full: the kernel answers no further connection. */
async function silentCollector(address: string): Promise<StreamCollector> {
  const silent = await collector({ address, backlog: 0, accept: false });
  const socket: Socket = connect({ host: address, port: silent.port });
  closing.push({ close: () => socket.destroy() });
  await once(socket, "connect");
  return silent;
}

describe("options", () => {
  const valid: TcpOptions = { host: "2001:db8::1" };

  it("have defaults: IANA's port, one attempt a minute, doubled up to ten minutes", () => {
    expect(tcpDestination(valid)).toMatchObject({
      name: "tcp [2001:db8::1]:4739",
      retry: { first: 60_000, most: 600_000 },
    });
    expect(
      tcpDestination({ host: "collector.example", port: 9, retry: { first: 1, most: 7 } }),
    ).toMatchObject({
      name: "tcp collector.example:9",
      retry: { first: 1, most: 7 },
    });
  });

  it.each<[object, RegExp]>([
    [{ host: "" }, /host is "": give an address or a name/],
    [{ host: undefined }, /host is undefined: give an address or a name/],
    [{ port: 0 }, /port is 0: give a whole number from 1 to 65535/],
    [{ port: 65536 }, /port is 65536/],
    [{ port: "4739" }, /port is 4739/],
    [{ connectTimeout: 0 }, /connectTimeout is 0/],
    [{ connectTimeout: Number.POSITIVE_INFINITY }, /connectTimeout is Infinity/],
    [{ retry: { first: -1, most: 1 } }, /retry.first is -1/],
    [{ keepAlive: 999 }, /keepAlive is 999: give a whole number from 1000/],
  ])("%o is refused at once", (option, message) => {
    expect(() => tcpDestination({ ...valid, ...option })).toThrowError(
      expect.objectContaining({
        code: "DESTINATION_INVALID",
        message: expect.stringMatching(message),
      }),
    );
  });
});

describe.each(["127.0.0.1", "::1"])("to %s", (address) => {
  it("everything arrives, as ipfixDump reads it", async () => {
    const there = await collector({ address });
    const transport = opened(await connected(tcpDestination({ host: address, port: there.port })));
    expect(transport).toMatchObject({ headerLength: 0, reliable: true });
    expect(transport.pathMtu()).toBe(65535);
    const { messages, records } = sampleMessages(2000);
    const octets = await sendAll(transport, messages);
    await transport.close();
    const connection = await there.connection("the end", ({ state }) => state === "ended");
    expect(connection.octets).toBe(octets);
    const decoded = await ipfixDump(connection.file);
    expect(decoded.warnings).toEqual([]);
    expect(decoded.records).toEqual(records);
  });
});

describe("finding the collector", () => {
  it("a name is resolved", async () => {
    const there = await collector();
    opened(await connected(tcpDestination({ host: "localhost", port: there.port })));
    await there.connection("a connection", () => true);
  });

  it("a name that does not resolve is an error", async () => {
    await expect(connected(tcpDestination({ host: "no-such-host.invalid" }))).rejects.toMatchObject(
      {
        code: "COLLECTOR_UNKNOWN",
        message: expect.stringMatching(
          /^the collector's name no-such-host\.invalid does not resolve: check it/,
        ),
      },
    );
  });

  it("one that refuses is an error", async () => {
    const gone = await collector();
    await gone.close();
    const destination = tcpDestination({ host: "127.0.0.1", port: gone.port });
    await expect(connected(destination)).rejects.toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(
        /^tcp 127.0.0.1:\d+: the collector refuses the connection \(ECONNREFUSED\): start it/,
      ),
    });
  });

  it("one that does not answer in time is an error", async () => {
    const silent = await silentCollector("127.0.0.1");
    const options = { host: "127.0.0.1", port: silent.port, connectTimeout: 300 };
    await expect(connected(tcpDestination(options))).rejects.toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(
        /^tcp 127.0.0.1:\d+: the collector does not answer in 300 ms \(ETIMEDOUT\): check/,
      ),
    });
  });

  it("an attempt that is given up ends at once", async () => {
    const silent = await silentCollector("127.0.0.1");
    const destination = tcpDestination({ host: "127.0.0.1", port: silent.port });
    const giveUp = new AbortController();
    const attempt = destination.connect(giveUp.signal);
    giveUp.abort();
    await expect(attempt).rejects.toMatchObject({ code: "CONNECT_ABORTED" });
    await expect(destination.connect(giveUp.signal)).rejects.toMatchObject({
      code: "CONNECT_ABORTED",
    });
  });

  it("each address of a name is tried", async () => {
    const there = await collector({ address: "127.0.0.2" });
    const { port } = there;
    const target = streamTarget("tcp", { host: "collector.example", port }, 4739);
    const attempt = (): Attempt =>
      new Attempt(target.name, target.connectTimeout, new AbortController().signal);
    const socket = await connectFirst(["127.0.0.1", "127.0.0.2"], target, attempt());
    expect(socket.remoteAddress).toBe("127.0.0.2");
    socket.destroy();
    await expect(connectFirst(["127.0.0.1", "::1"], target, attempt())).rejects.toMatchObject({
      message: expect.stringMatching(
        /refuses the connection \(127.0.0.1: ECONNREFUSED, ::1: ECONNREFUSED\)/,
      ),
    });
  });

  it("one that does not answer leaves time for the next", async () => {
    const silent = await silentCollector("127.0.0.1");
    const { port } = silent;
    await collector({ address: "127.0.0.2", port });
    const options = { host: "collector.example", port, connectTimeout: 1000 };
    const target = streamTarget("tcp", options, 4739);
    const attempt = new Attempt(target.name, 1000, new AbortController().signal);
    const socket = await connectFirst(["127.0.0.1", "127.0.0.2"], target, attempt);
    expect(socket.remoteAddress).toBe("127.0.0.2");
    socket.destroy();
  });
});

describe("in a namespace of its own", () => {
  const session = (options: object, more: object = {}): string[] => [
    ...["--import", "tsx", script],
    JSON.stringify({ protocol: "tcp", options, records: 10, ...more }),
  ];

  it("a network without a route is an error at once", async () => {
    await using netns = await createNetns("alone");
    for (const host of ["192.0.2.1", "2001:db8::1"]) {
      const { stdout } = await netns.run("node", session({ host }));
      expect(stdout).toMatch(/"code":"COLLECTOR_UNREACHABLE"/);
      expect(stdout).toMatch(/cannot reach the collector \(E(NET|HOST)UNREACH\): check its addr/);
    }
  });

  it("a link-local address is reached by its zone", async () => {
    await using netns = await createNetns("zone");
    await netns.ip("link add here type veth peer name there", "link set here up");
    await netns.ip("link set there up", "addr add fe80::1/64 dev here");
    await using there = await StreamCollector.start({ address: "::", netns });
    const options = { host: "fe80::1%here", port: there.port };
    const { stdout } = await netns.run("node", session(options));
    expect(stdout).toMatch(/^connected\nsent \d+\n$/);
    await there.received(Number(/sent (\d+)/.exec(stdout)![1]));
    const nowhere = await netns.run("node", session({ ...options, host: "fe80::1%nowhere" }));
    expect(nowhere.stdout).toMatch(
      /failed {"code":"COLLECTOR_UNREACHABLE".* no interface nowhere is up/,
    );
  });

  it("a collector that is gone without a word is noticed while nothing is sent", async () => {
    await using there = await createNetns("there");
    await using here = await createNetns("here");
    await here.ip(`link add port type veth peer name port netns ${there.name}`);
    for (const [netns, address] of [
      [here, "192.0.2.1"],
      [there, "192.0.2.2"],
    ] as const) {
      await netns.ip(`addr add ${address}/24 dev port`, "link set port up");
    }
    await using far = await StreamCollector.start({ address: "192.0.2.2", netns: there });
    const options = { host: "192.0.2.2", port: far.port, keepAlive: 1000 };
    const exporter = here.start("node", session(options, { wait: true }));
    await exporter.until(/sent/);
    await far.connection("the records", ({ octets }) => octets > 0);
    await there.ip("addr flush dev port");
    await exporter.until(/ended E(TIMEDOUT|HOSTUNREACH)/);
  });
});

it("the connection is asked for signs of life", async () => {
  const there = await collector();
  const options = { host: "127.0.0.1", port: there.port, keepAlive: 7000 };
  opened(await connected(tcpDestination(options)));
  const { stdout } = await run("ss", ["-tnoH", "dst", `127.0.0.1:${there.port}`]);
  expect(stdout).toMatch(/timer:\(keepalive,[67]/);
});
