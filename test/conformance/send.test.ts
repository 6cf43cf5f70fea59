// ioamctl send: made-up records arrive where the configuration says, read by other people's decoders.
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Collector } from "../lab/collector.ts";
import { eventually } from "../lab/eventually.ts";
import { type Folder, temporaryFolder } from "../lab/guard.ts";
import { messageFacts } from "../lab/ipfix-messages.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { Nfcapd } from "../lab/nfcapd.ts";
import { tshark } from "../lab/tshark.ts";
import { freeUdpPort } from "../lab/udp-port.ts";
import { ioamctl, startIoamctl } from "../unit/cli/command-line.ts";

const RECORDS = `
elements: [{ name: exampleText, id: 1000, enterprise: 32473, type: string, units: octets }]
templates:
  flow: { elements: [flowStartMilliseconds, sourceIPv6Address, octetDeltaCount(4), interfaceName, exampleText] }
  loss: { elements: [ioamNodeId, ioamLostPacketCount] }
  interface: { id: 256, scope: [ingressInterface], elements: [interfaceName(16)] }
records:
  - { template: interface, values: { ingressInterface: 7, interfaceName: eth7 } }
  - template: flow
    repeat: 100
    values:
      flowStartMilliseconds: 2026-07-22T12:00:00.5Z
      sourceIPv6Address: 2001:db8::1
      octetDeltaCount: 186818
      interfaceName: eth1
      exampleText: häß
  - { template: loss, values: { ioamNodeId: 0xabcdef, ioamLostPacketCount: -2 } }
`;

const FLOW = {
  flowStartMilliseconds: "2026-07-22 12:00:00.500",
  sourceIPv6Address: "2001:db8::1",
  octetDeltaCount: "186818",
  interfaceName: "eth1",
  exampleText: "häß",
};

let folder: Folder;
let records: string;
beforeEach(async () => {
  folder = await temporaryFolder("send");
  records = join(folder.path, "records.yaml");
  await writeFile(records, RECORDS);
});
afterEach(() => folder.remove());

async function configured(text: string): Promise<string> {
  const file = join(folder.path, "agent.yaml");
  await writeFile(file, text);
  return file;
}

/** What every decoder has to find. */
async function expectRecords(file: string): Promise<void> {
  const { records: found, warnings } = await ipfixDump(file, { rfc5610: true });
  expect(warnings).toEqual([]);
  const of = (id: number) => found.filter(({ template }) => template === id);
  expect(of(256).map(({ fields }) => fields)).toEqual([
    { ingressInterface: "7", interfaceName: expect.stringMatching(/^eth7/) },
  ]);
  expect(of(257).map(({ fields }) => fields)).toEqual(Array.from({ length: 100 }, () => FLOW));
  expect(of(258).map(({ fields }) => fields)).toEqual([
    { ioamNodeId: "11259375", ioamLostPacketCount: "-2" },
  ]);
  expect(messageFacts(await readFile(file))).toMatchObject({ gaps: [], unknownSets: 0 });
  expect((await tshark(file)).warnings).toEqual([]);
}

describe("ioamctl send", () => {
  it("sends to a collector without a configuration", async () => {
    await using collector = await Collector.start({ address: "127.0.0.1" });
    const { code, stdout, stderr } = await ioamctl([
      "send",
      ...["--collector", collector.target, "-f", records, "--json"],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [result, ...others] = JSON.parse(stdout) as Record<string, unknown>[];
    expect(others).toEqual([]);
    expect(result).toMatchObject({
      destination: `udp ${collector.target}`,
      records: 102,
      droppedRecords: 0,
    });
    await expectRecords((await collector.sender(Number(result!.messages))).file);
  });

  it("sends to every collector and file of a configuration, and shows the records", async () => {
    await using first = await Collector.start();
    await using second = await Collector.start();
    const config = await configured(`
observationDomainId: 77
collectors:
  - { address: "${first.target}", mtu: 1280 }
  - { address: "${second.target}", maxRate: 100Mbit/s }
outputs:
  - file: { path: flows.ipfix }
  - console: { format: json }
`);
    const { code, stdout, stderr } = await ioamctl(["send", "-c", config, "-f", records]);
    expect(code).toBe(0);
    const shown = stdout.trimEnd().split("\n");
    expect(shown).toHaveLength(102);
    expect(JSON.parse(shown[1]!)).toEqual({
      ...FLOW,
      flowStartMilliseconds: 1_784_721_600_500,
      octetDeltaCount: 186_818,
    });
    const told = stderr.trimEnd().split("\n");
    expect(told).toEqual([
      expect.stringContaining(`udp ${first.target}: 102 records sent, `),
      expect.stringContaining(`udp ${second.target}: 102 records sent, `),
      expect.stringContaining(`file ${join(folder.path, "flows.ipfix")}: 102 records sent, `),
    ]);
    const messages = told.map((line) => Number(/, (\d+) messages?/.exec(line)![1]));
    const sent = await first.sender(messages[0]!);
    expect(sent.longest).toBeLessThanOrEqual(1280 - 48);
    await expectRecords(sent.file);
    await expectRecords((await second.sender(messages[1]!)).file);
    const [file] = (await readdir(folder.path)).filter((name) => name.endsWith(".ipfix"));
    await expectRecords(join(folder.path, file!));
  });

  it("does not take --json where there is only the console, which that leaves out", async () => {
    const config = await configured("outputs: [{ console: { format: json } }]\n");
    const args = ["send", "-c", config, "-f", records];
    const { code, stdout, stderr } = await ioamctl([...args, "--json"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^ioamctl send: \S+ has no collector and no file, [^\n]+\n$/);
    const shown = await ioamctl(args);
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({ code: 0, stderr: "" });
    expect(shown.stdout.trimEnd().split("\n")).toHaveLength(102);
  });

  it("shows records no longer than somebody reads them", async () => {
    await writeFile(records, RECORDS.replace("repeat: 100", "repeat: 1000000000"));
    const config = await configured("outputs: [{ console: { format: json } }]\n");
    await using shown = startIoamctl(["send", "-c", config, "-f", records]);
    await shown.until(/eth1/);
    shown.child.stdout!.destroy();
    await eventually("its end", () => !shown.running);
    expect(await shown.ended).toEqual({ code: 0, signal: null });
  });

  it("sends its own example, which nfcapd takes", async () => {
    const example = await ioamctl(["send", "--example"]);
    expect(example).toMatchObject({ code: 0, stderr: "" });
    await writeFile(records, example.stdout);
    const collector = await Nfcapd.start();
    const target = `127.0.0.1:${collector.port}`;
    const args = ["send", "--collector", target, "-f", records];
    const { code, stdout } = await ioamctl(args).catch(async (error: unknown) => {
      await collector.stop().catch(() => undefined);
      throw error;
    });
    const result = await collector.stop();
    expect(code).toBe(0);
    expect(stdout).toMatch(`udp ${target}: 11 records sent, `);
    expect(result).toMatchObject({ badPackets: 0, packets: 10 * 1707, octets: 10 * 186_818 });
  });

  it("fails when nobody listens", async () => {
    const port = await freeUdpPort("127.0.0.1");
    const args = ["send", "--collector", `127.0.0.1:${port}`, "-f", records];
    const { code, stdout, stderr } = await ioamctl(args);
    expect(code).toBe(1);
    expect(stdout).toMatch(`udp 127.0.0.1:${port}: `);
    expect(stderr).toBe(
      `ioamctl send: udp 127.0.0.1:${port}: nobody listens there: start the collector, or check address and port\n`,
    );
  });

  it("names a collector over TCP that refuses once", async () => {
    const there = createServer().listen(0, "127.0.0.1");
    await once(there, "listening");
    const { port } = there.address() as AddressInfo;
    there.close();
    await once(there, "close");
    const args = ["send", "--collector", `tcp://127.0.0.1:${port}`, "-f", records];
    const { code, stderr } = await ioamctl(args);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `ioamctl send: tcp 127.0.0.1:${port}: the collector refuses the connection (ECONNREFUSED): start it, or check its port\n`,
    );
  });

  it("fails when a collector's name does not resolve, and sends to the others", async () => {
    await using collector = await Collector.start();
    const config = await configured(
      `collectors: [{ address: "nobody.invalid:4739" }, { address: "${collector.target}" }]\n`,
    );
    const { code, stdout, stderr } = await ioamctl(["send", "-c", config, "-f", records]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ioamctl send: udp nobody\.invalid:4739: .*does not resolve.*\n$/);
    const messages = Number(/102 records sent, (\d+) messages?/.exec(stdout)![1]);
    await expectRecords((await collector.sender(messages)).file);
  });

  it("says all that is wrong with a file, each in a line", async () => {
    await writeFile(
      records,
      RECORDS.replaceAll("octetDeltaCount: 186818", "octetDeltaCount: -1\n      nothing: 0"),
    );
    const { code, stdout, stderr } = await ioamctl([
      "send",
      ...["--collector", "127.0.0.1:4739", "-f", records],
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.split("\n")).toEqual([
      `ioamctl send: ${records}:14:24: records[1].values.octetDeltaCount is "-1": give a whole number from 0 to 4294967295`,
      expect.stringContaining(
        `${records}:15:7: unknown key nothing in records[1].values: known here`,
      ),
      "",
    ]);
  });
});
