// ioamctl dump: its documents and its table, and what its options choose.
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { FLOW_ID, SEQUENCE } from "../lab/options.ts";
import { type Packet, packetOctets } from "../lab/packet.ts";
import { INNER4 } from "../lab/samples.ts";
import { CommandLab } from "./command-lab.ts";
import type { PrivateHost } from "./private-host.ts";

/** A document of `dump --json`: which fields there are is what is tested. */
type FlowJson = Record<string, string | number>;

const LONG = {
  source: "2001:db8:1111:2222:3333:4444:5555:6666",
  destination: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
};

/** Five packets of one flow: number 12 is missing, 13 comes after 14 and then again. */
const SEQUENCED: Packet[] = [10, 11, 14, 13, 13].map((sequence) => dexPacket({ sequence }));
/** No sequence number; TCP; another namespace. */
const UNSEQUENCED: Packet = dexPacket({
  namespace: 456,
  extensionFlags: FLOW_ID,
  flowId: 2,
  source: "fd00:1::2",
  upper: [{ kind: "tcp", sourcePort: 1025, destinationPort: 179 }],
});
/** No ports, no flow id, two VLAN tags. */
const TAGGED: Packet = dexPacket({
  extensionFlags: SEQUENCE,
  sequence: 7,
  trafficClass: 0,
  link: { tags: [{ protocol: 0x88a8, id: 200 }, { id: 100 }] },
  upper: [{ kind: "icmpv6", type: 128, code: 0 }],
});
/** IPv4 in IPv6. */
const TUNNELLED4: Packet = dexPacket({
  flowId: 4,
  upper: [INNER4, { kind: "udp", sourcePort: 1026, destinationPort: 53000 }],
});
/** IPv6 in IPv6, addresses as long as can be. */
const TUNNELLED6: Packet = dexPacket({
  flowId: 5,
  upper: [
    { kind: "ipv6", ...LONG },
    { kind: "udp", sourcePort: 60000, destinationPort: 60001 },
  ],
});
const PACKETS = [...SEQUENCED, UNSEQUENCED, TAGGED, TUNNELLED4, TUNNELLED6];

/** Octets of the IPv6 packets. */
function octets(packet: Packet): number {
  return packetOctets({ ...packet, link: null }).length;
}

let commands: CommandLab;
let host: PrivateHost;
let netns: string[];
let before: number;

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host, netns } = commands);
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "16");
  await host.print("attach", "-n", "out0", ...netns, "--direction", "egress");
  before = Date.now();
  await commands.sender.send("src0", ...PACKETS.map(packetOctets));
});

afterAll(async () => {
  await host?.ioamctl(["detach", "--all", ...netns]);
  await commands?.close();
});

async function dump(...options: string[]): Promise<FlowJson[]> {
  return host.json<FlowJson[]>("dump", ...netns, ...options);
}

/** The same of what comes in, where it is clear which is which. */
async function flowIds(...options: string[]): Promise<(string | number | undefined)[]> {
  const flows = await dump("-n", "in0", ...options);
  return flows.map((flow) => flow.ioamFlowId ?? "none");
}

describe("dump --json", () => {
  test("has every field that is known, and no other", async () => {
    const flows = await eventually("all were forwarded", async () => {
      const found = await dump();
      return found.length === 9 && found;
    });
    const after = Date.now();
    const indexes = await commands.lab.router.ipJson<{ ifname: string; ifindex: number }[]>("link");
    const index = (name: string) => indexes.find(({ ifname }) => ifname === name)!.ifindex;
    const [in0, out0] = [index("in0"), index("out0")];
    for (const flow of flows) {
      expect(flow.flowStartMilliseconds).toBeGreaterThan(before - 20);
      expect(flow.flowEndMilliseconds).toBeGreaterThanOrEqual(Number(flow.flowStartMilliseconds));
      expect(flow.flowEndMilliseconds).toBeLessThanOrEqual(after);
      delete flow.flowStartMilliseconds;
      delete flow.flowEndMilliseconds;
    }
    const of = (name: string, flowId: number | undefined) =>
      flows.find((one) => one.interfaceName === name && one.ioamFlowId === flowId);

    const sequenced = {
      interfaceName: "in0",
      flowDirection: "ingress",
      ingressInterface: in0,
      ioamNamespaceId: 123,
      ioamTraceType: "0xf00000",
      ioamExtensionFlags: "0xc0",
      ioamFlowId: 0xabcdef,
      sourceIPv6Address: "fd00:1::1",
      destinationIPv6Address: "fd00:2::1",
      protocolIdentifier: 17,
      sourceTransportPort: 40000,
      destinationTransportPort: 53000,
      flowLabelIPv6: 0x12345,
      ipClassOfService: 0x2c,
      packetDeltaCount: 5,
      octetDeltaCount: 5 * octets(SEQUENCED[0]!),
      ioamSequenceNumberLowest: 10,
      ioamSequenceNumberHighest: 14,
      ioamLostPacketCount: 1,
      ioamExpectedPacketCount: 5,
      ioamReorderedPacketCount: 1,
      ioamDuplicatePacketCount: 1,
      minimumTTL: 64,
      maximumTTL: 64,
    };
    expect(of("in0", 0xabcdef)).toEqual(sequenced);
    expect(of("out0", 0xabcdef)).toEqual({
      ...sequenced,
      interfaceName: "out0",
      flowDirection: "egress",
      egressInterface: out0,
      minimumTTL: 63,
      maximumTTL: 63,
    });
    expect(of("in0", 2)).toEqual({
      interfaceName: "in0",
      flowDirection: "ingress",
      ingressInterface: in0,
      ioamNamespaceId: 456,
      ioamTraceType: "0xf00000",
      ioamExtensionFlags: "0x80",
      ioamFlowId: 2,
      sourceIPv6Address: "fd00:1::2",
      destinationIPv6Address: "fd00:2::1",
      protocolIdentifier: 6,
      sourceTransportPort: 1025,
      destinationTransportPort: 179,
      flowLabelIPv6: 0x12345,
      ipClassOfService: 0x2c,
      packetDeltaCount: 1,
      octetDeltaCount: octets(UNSEQUENCED),
      minimumTTL: 64,
      maximumTTL: 64,
    });
    const once = {
      ioamLostPacketCount: 0,
      ioamExpectedPacketCount: 1,
      ioamReorderedPacketCount: 0,
      ioamDuplicatePacketCount: 0,
    };
    const { sourceTransportPort: _s, destinationTransportPort: _d, ...portless } = sequenced;
    const { ioamFlowId: _f, ...unidentified } = portless;
    expect(of("in0", undefined)).toEqual({
      ...unidentified,
      ...once,
      ioamExtensionFlags: "0x40",
      protocolIdentifier: 58,
      ipClassOfService: 0,
      vlanId: 200,
      dot1qCustomerVlanId: 100,
      packetDeltaCount: 1,
      octetDeltaCount: octets(TAGGED),
      ioamSequenceNumberLowest: 7,
      ioamSequenceNumberHighest: 7,
    });
    const { sourceIPv6Address: _6, destinationIPv6Address: _d6, ...unaddressed } = sequenced;
    const tunnelled = {
      ...unaddressed,
      ...once,
      tunnelSourceIPv6Address: "fd00:1::1",
      tunnelDestinationIPv6Address: "fd00:2::1",
      packetDeltaCount: 1,
      ioamSequenceNumberLowest: 0,
      ioamSequenceNumberHighest: 0,
    };
    expect(of("in0", 4)).toEqual({
      ...tunnelled,
      ioamFlowId: 4,
      sourceIPv4Address: "192.0.2.1",
      destinationIPv4Address: "198.51.100.7",
      sourceTransportPort: 1026,
      octetDeltaCount: octets(TUNNELLED4),
    });
    expect(of("in0", 5)).toEqual({
      ...tunnelled,
      ioamFlowId: 5,
      sourceIPv6Address: LONG.source,
      destinationIPv6Address: LONG.destination,
      sourceTransportPort: 60000,
      destinationTransportPort: 60001,
      octetDeltaCount: octets(TUNNELLED6),
    });
  });
});

describe("what is dumped", () => {
  test.each<[options: string, flowIds: (number | "none")[]]>([
    ["--namespace 456", [2]],
    ["--namespace 0x7b", [4, 5, 0xabcdef, "none"]],
    ["--flow-id 0xabcdef", [0xabcdef]],
    ["--src fd00:1::/64", [2, 0xabcdef, "none"]],
    ["--src 192.0.2.1", [4]],
    ["--dst 198.51.100.0/24", [4]],
    ["--dst 2001:db8:aaaa::/48", [5]],
    ["--proto icmp6", ["none"]],
    ["--proto 17", [4, 5, 0xabcdef]],
    ["--sport 1025", [2]],
    ["--dport 53000", [4, 0xabcdef]],
    ["--dport 53000 --src fd00::/16 --proto udp --namespace 123", [0xabcdef]],
    ["--sport 1", []],
  ])("dump %s", async (options, expected) => {
    const found = await flowIds(...options.split(" "));
    expect(found.sort()).toEqual([...expected].sort());
  });

  test("dump -n, of one interface", async () => {
    const flows = await dump("-n", "out0", "--flow-id", "2");
    expect(flows.map((flow) => flow.egressInterface === undefined)).toEqual([false]);
  });

  test("an interface that does not exist is refused, by flush too", async () => {
    for (const command of ["dump --json", "dump", "dump --watch 60", "flush --json"]) {
      const args = [...command.split(" "), "-n", "none0", ...netns];
      expect(await host.ioamctl(args), command).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(
          /^ioamctl (dump|flush): no interface none0 in netns \S+: see 'ip -n \S+ link'\n$/,
        ),
      });
    }
  });

  test("one that is not metered, and filters that cannot match, are told of", async () => {
    for (const [filter, hint] of [
      ["-n lo", /^ioamctl \w+: lo is not metered: `ioamctl attach -n lo --netns \S+` [^\n]+\n$/],
      ["--proto icmp6 --dport 1", /^ioamctl \w+: icmp6 has no ports: [^\n]+\n$/],
      ["--flow-id 99", /^$/],
    ] as const) {
      for (const [command, none] of [
        ["dump", []],
        ["flush", { flows: 0, packets: 0, octets: 0 }],
      ] as const) {
        const args = [command, ...filter.split(" "), ...netns, "--json"];
        const { code, stdout, stderr } = await host.ioamctl(args);
        expect({ code, printed: JSON.parse(stdout) }, args.join(" ")).toEqual({
          code: 0,
          printed: none,
        });
        expect(stderr).toMatch(hint);
      }
    }
  });

  test("dump --sort and --limit", async () => {
    // The most packets first unless told.
    expect(await flowIds("--limit", "1")).toEqual([0xabcdef]);
    expect(await flowIds("--sort", "src", "--limit", "2")).toEqual([4, 5]);
    expect(await flowIds("--sort", "flow-id")).toEqual([2, 4, 5, 0xabcdef, "none"]);
  });
});

describe("the table", () => {
  test("fits 120 columns, and is as wide as it takes with --wide", async () => {
    const lines = (await host.print("dump", ...netns, "-n", "in0")).trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[0]!.split(/ +/)).toEqual(
      "IFACE DIR NS FLOW-ID SRC DST PROTO PACKETS OCTETS LOST REORD AGE".split(" "),
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    expect(lines[1]).toMatch(
      /^in0 +in +123 +0xabcdef +\[fd00:1::1\]:40000 +\[fd00:2::1\]:53000 +udp +5 +\d+ +1 +1 +\d+s$/,
    );
    expect(lines.join("\n")).not.toContain("\x1b");

    const wide = await host.print("dump", ...netns, "-n", "in0", "--wide");
    expect(wide).toContain(`[${LONG.source}]:60000  [${LONG.destination}]:60001`);
  });

  test("comes again and again on a pipe with --watch, until a signal", async () => {
    const watching = host.start(["dump", ...netns, "--watch", "0.1", "--flow-id", "2"]);
    onTestFinished(() => void watching.stop("SIGKILL"));
    await watching.until(/(IFACE [^\n]*\n[^\n]+\n[^\n]+\n\n){3}/);
    const { code, stderr } = await watching.stop("SIGINT");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(watching.output).not.toContain("\x1b");
  });

  test("with --watch --json an array a line, until nobody reads", async () => {
    const watching = host.start(["dump", ...netns, "--watch", "0.1", "--json"]);
    onTestFinished(() => void watching.stop("SIGKILL"));
    await watching.until(/\n.*\n/);
    for (const line of watching.output.trimEnd().split("\n")) {
      expect(JSON.parse(line)).toHaveLength(9);
    }
    watching.child.stdout!.destroy();
    expect(await watching.ended).toEqual({ code: 0, signal: null });
    expect(watching.errors).toBe("");
  });
});
