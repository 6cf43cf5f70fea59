// What is DTLS's own: records in datagrams, their overhead, cookies, lost flights, the path's MTU.
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { eventually } from "../lab/eventually.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { createNetns, type Netns, netnsPrefix } from "../lab/netns.ts";
import { OpensslServer } from "../lab/openssl-server.ts";
import { sampleMessages } from "../lab/sample-messages.ts";
import { sendAll } from "../lab/transport-session.ts";
import { type Copies, UdpRelay } from "../lab/udp-relay.ts";
import type { DtlsInNetnsResult, DtlsInNetnsTask } from "./dtls-in-netns.ts";
import { tlsLab } from "./tls-lab.ts";

const lab = tlsLab();
const version = "dtls1_2";

/** IPv4 and UDP. */
const DATAGRAM_HEADER = 28;
const APPLICATION_DATA = 23;

async function relayTo(collector: OpensslServer, copies?: Copies): Promise<UdpRelay> {
  return lab.opened(await UdpRelay.start(collector, copies));
}

const through = (relay: UdpRelay) =>
  ({ address: relay.address, port: relay.port, version }) as const;

it("the messages of one call are each a record in a datagram of its own", async () => {
  const collector = await lab.server({ version });
  const relay = await relayTo(collector);
  const sizes: number[] = [];
  relay.copies = ({ from, octets }) => {
    if (from === "client" && octets[0] === APPLICATION_DATA) sizes.push(octets.length);
    return 1;
  };
  const transport = await lab.session(through(relay));
  // More than the kernel takes at once.
  const { messages, records } = sampleMessages(499, 5);
  const [template, ...data] = messages;
  const all = Buffer.concat(data);
  await sendAll(transport, [template!]);
  expect(transport.send(all, 0, all.length, data[0]!.length)).toBe(all.length);
  const octets = all.length + template!.length;
  const file = await collector.receivedIn(lab.authority.path("batch.ipfix"), octets);
  expect((await ipfixDump(file)).records).toEqual(records);
  const overhead = transport.headerLength - DATAGRAM_HEADER;
  expect(sizes).toEqual(messages.map((message) => message.length + overhead));
});

// What works in blocks of 16 octets adds up to 15 less, depending on the message's length.
it.each([
  ["ECDHE-RSA-AES256-GCM-SHA384", 0],
  ["ECDHE-RSA-CHACHA20-POLY1305", 0],
  ["AES128-SHA", 15],
])(
  "no record of %s is longer than told, and they are at most %i octets shorter",
  async (cipher, less) => {
    await lab.authority.issue("rsa", { names: "IP:127.0.0.1", keyType: "rsa" });
    const collector = await lab.server({ version, is: "rsa", args: ["-cipher", cipher] });
    const relay = await relayTo(collector);
    const transport = await lab.session(through(relay));
    const sizes: number[] = [];
    relay.copies = ({ octets }) => sizes.push(octets.length) && 1;
    // Three of each length in one call, the last shorter.
    const lengths = Array.from({ length: 20 }, (_, i) => 100 + i);
    for (const length of lengths) {
      const all = new Uint8Array(3 * length + 50);
      expect(transport.send(all, 0, all.length, length)).toBe(all.length);
    }
    await eventually("all", () => sizes.length === 4 * lengths.length);
    const overhead = transport.headerLength - DATAGRAM_HEADER;
    const spare = lengths.flatMap((length, i) =>
      [length, length, length, 50].map((octets, j) => octets + overhead - sizes[4 * i + j]!),
    );
    expect(Math.min(...spare)).toBe(0);
    expect(Math.max(...spare)).toBe(less);
    const octets = lengths.reduce((sum, length) => sum + 3 * length + 50, 0);
    await eventually("its content", () => collector.received.length === octets);
  },
);

it("ciphers that are neither mandatory nor good are not offered", async () => {
  await lab.authority.issue("rsa", { names: "IP:127.0.0.1", keyType: "rsa" });
  for (const cipher of ["AES256-SHA256", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA"]) {
    const collector = await lab.server({ version, is: "rsa", args: ["-cipher", cipher] });
    expect((await lab.refusal(collector)).message).toMatch(/\(handshake_failure\): .* no cipher/);
  }
});

it("a collector that asks for a cookie first gets it", async () => {
  const collector = await lab.server({ version, args: ["-listen"] });
  const relay = await relayTo(collector);
  const transport = await lab.session(through(relay));
  // Its hello was said twice, the second time with the cookie.
  expect(relay.seen.client).toBe(3);
  const octets = await sendAll(transport, sampleMessages(10).messages);
  await collector.receivedIn(lab.authority.path("cookie.ipfix"), octets);
});

it("RSA certificates do as well", async () => {
  await lab.authority.issue("rsa", { names: "IP:127.0.0.1", keyType: "rsa" });
  const collector = await lab.server({ version, is: "rsa" });
  const identity = await lab.authority.issue("rsarouter", { keyType: "rsa" });
  const transport = await lab.session(collector, identity);
  const octets = await sendAll(transport, sampleMessages(10).messages);
  await collector.receivedIn(lab.authority.path("rsa.ipfix"), octets);
});

describe("a handshake", () => {
  const losing = (...lost: string[]): Copies => {
    return ({ from, number }) => (lost.includes(`${from} ${number}`) ? 0 : 1);
  };
  const cases: [string, Copies][] = [
    ["without the first datagram of the exporter", losing("client 0")],
    ["without the first of the collector", losing("server 0")],
    ["without the second of the exporter", losing("client 1")],
    ["without the second of the collector", losing("server 1")],
    ["without the first of each", losing("client 0", "server 0")],
    ["of which everything comes twice", () => 2],
  ];

  // At the same time: each waits for timers of seconds.
  it("goes on whatever is lost or doubled", async () => {
    const done = cases.map(async ([what, copies]) => {
      const collector = await lab.server({ version });
      const relay = await relayTo(collector, copies);
      const transport = await lab.session(through(relay), { connectTimeout: 60_000 });
      relay.copies = () => 1;
      await sendAll(transport, [Buffer.from(what)]);
      await eventually(what, () => collector.received.toString().includes(what));
    });
    await Promise.all(done);
  });
});

describe("the path's MTU", () => {
  const script = fileURLToPath(new URL("dtls-in-netns.ts", import.meta.url));

  async function exportIn(netns: Netns, host: string, port: number): Promise<DtlsInNetnsResult> {
    // A certificate of RSA makes the flight longer than any of these paths takes whole.
    const identity = await lab.authority.issue("rsarouter", { keyType: "rsa" });
    const task: DtlsInNetnsTask = {
      ...{ host, port, ca: lab.authority.cert, ...identity, serverName: "collector.example" },
      connectTimeout: 60_000,
    };
    const { stdout } = await netns.run("node", ["--import", "tsx", script, JSON.stringify(task)]);
    return JSON.parse(stdout) as DtlsInNetnsResult;
  }

  /** IPv4's and IPv6's fragments made, and packets that were too large. */
  async function fragments(netns: Netns): Promise<string[]> {
    const { stdout } = await netns.run("nstat", ["-asz", "IpFragCreates", "Ip6FragCreates"]);
    return stdout.match(/^Ip6?FragCreates +\d+/gm) ?? [];
  }

  const NO_FRAGMENTS = [
    expect.stringMatching(/^IpFragCreates +0$/),
    expect.stringMatching(/^Ip6FragCreates +0$/),
  ];

  async function serverIn(netns: Netns, address: string): Promise<OpensslServer> {
    const identity = lab.authority.identity("collector");
    const ca = lab.authority.cert;
    return lab.opened(await OpensslServer.start({ version, identity, ca, address, netns }));
  }

  it.each([
    ["127.0.0.1", 28],
    ["::1", 48],
  ])("is filled to the octet, and not exceeded, at %s", async (address, header) => {
    await using netns = await createNetns("narrow");
    await netns.ip("link set lo mtu 1300");
    const collector = await serverIn(netns, address);
    const result = await exportIn(netns, address, collector.port);
    // Of AES-GCM: record header, explicit nonce, tag.
    const headerLength = header + 13 + 8 + 16;
    expect(result).toEqual({
      headerLength,
      pathMtu: 1300,
      taken: 10 * (1300 - headerLength),
      tooLong: "EMSGSIZE",
    });
    await eventually("all", () => collector.received.length === result.taken);
    expect(await fragments(netns)).toEqual(NO_FRAGMENTS);
  });

  it.each([
    ["192.0.2.2", 28],
    ["2001:db8:2::2", 48],
  ])(
    "narrower on the way than here is found out in the handshake with %s",
    async (host, header) => {
      const prefix = netnsPrefix();
      await using exporter = await createNetns("exporter", prefix);
      await using router = await createNetns("router", prefix);
      await using site = await createNetns("collector", prefix);
      await router.sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 });
      await router.ip(
        `link add left type veth peer name uplink netns ${exporter.name}`,
        `link add right mtu 1300 type veth peer name uplink mtu 1300 netns ${site.name}`,
        ...["address add 198.51.100.1/24 dev left", "address add 2001:db8:1::1/64 dev left"],
        ...["address add 192.0.2.1/24 dev right", "address add 2001:db8:2::1/64 dev right"],
        // For its own neighbour solicitations.
        ...["address add fe80::1/64 dev left", "address add fe80::1/64 dev right"],
        ...["link set left up", "link set right up"],
      );
      for (const [netns, v4, v6] of [
        [exporter, "198.51.100", "2001:db8:1:"],
        [site, "192.0.2", "2001:db8:2:"],
      ] as const) {
        await netns.ip(
          ...[
            `address add ${v4}.2/24 dev uplink`,
            `address add ${v6}:2/64 dev uplink`,
            "link set uplink up",
          ],
          ...[`route add default via ${v4}.1`, `route add ::/0 via ${v6}:1`],
        );
      }
      const collector = await serverIn(site, host);
      const result = await exportIn(exporter, host, collector.port);
      expect(result).toMatchObject({ pathMtu: 1300, tooLong: "EMSGSIZE" });
      expect(result.taken).toBe(10 * (1300 - header - 37));
      await eventually("all", () => collector.received.length === result.taken);
      for (const netns of [exporter, router]) {
        expect(await fragments(netns)).toEqual(NO_FRAGMENTS);
      }
    },
  );
});
