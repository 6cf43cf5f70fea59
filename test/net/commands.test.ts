// attach, status, flush and detach: a round trip with traffic, and what they leave behind.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { eventually } from "../lab/eventually.ts";
import { packetOctets } from "../lab/packet.ts";
import { run } from "../lab/process.ts";
import type { RouterLab } from "../lab/router.ts";
import { CommandLab } from "./command-lab.ts";
import { inodeOf, type PrivateHost, programsOf } from "./private-host.ts";
import type { AttachmentJson, StatusJson } from "./status-json.ts";

const IOAMCTL = fileURLToPath(new URL("../../bin/ioamctl", import.meta.url));

let commands: CommandLab;
let host: PrivateHost;
let lab: RouterLab;
let name: string;
let netns: string[];

beforeAll(async () => {
  commands = await CommandLab.start();
  ({ host, lab, name, netns } = commands);
});

afterAll(() => commands?.close());

/** Names in the first column of the table in docs/counters.md. */
async function documentedCounters(): Promise<string[]> {
  const file = fileURLToPath(new URL("../../docs/counters.md", import.meta.url));
  const rows = (await readFile(file, "utf8")).split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...row.split("|")[1]!.matchAll(/`(\w+)`/g)].map((m) => m[1]!));
}

test("attach, traffic, status, flush, detach", async () => {
  commands.cleanAfterFailure();
  const before = await commands.status();
  expect(before).toMatchObject({ attachments: [], tables: [], agent: null });
  expect(before.counters).toMatchObject({ packets: 0, ringDropped: 0, postcards: 0 });

  const [ingress] = await host.json<(AttachmentJson & { created: boolean })[]>(
    ...["attach", "-n", "in0", ...netns, "--max-flows", "64"],
  );
  const programs = await programsOf(lab.router);
  const { created, ...attachment } = ingress!;
  expect(created).toBe(true);
  expect(attachment).toEqual({
    netns: name,
    interfaceName: "in0",
    ifindex: 2,
    direction: "ingress",
    hook: "tcx",
    programId: programs.find((one) => one.name === "ioam_ingress")!.id,
  });
  // Again, and more: what is there stays.
  const again = await host.print("attach", "-n", "in0", "out0", ...netns, "--direction", "both");
  expect(again.split("\n")).toEqual([
    `in0: was attached already, ingress (tcx, program ${attachment.programId})`,
    expect.stringMatching(/^in0: attached, egress \(tcx, program \d+\)$/),
    expect.stringMatching(/^out0: attached, ingress \(tcx, program \d+\)$/),
    expect.stringMatching(/^out0: attached, egress \(tcx, program \d+\)$/),
    "",
  ]);
  await host.print("detach", "-n", "in0", "out0", ...netns);
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "64");
  await host.print("attach", "-n", "out0", ...netns, "--direction", "egress");

  await commands.send(1, 2, 2, 3, 3, 3);
  const during = await commands.counted(12);
  expect(during.attachments.map((a) => [a.netns, a.interfaceName, a.direction, a.hook])).toEqual([
    [name, "in0", "ingress", "tcx"],
    [name, "out0", "egress", "tcx"],
  ]);
  const octets = 12 * packetOctets(dexPacket({ link: null, flowId: 1, sequence: 1 })).length;
  expect(during.tables).toEqual([
    { netns: name, flows: 6, packets: 12, octets, maxFlows: 64, memoryOctets: expect.any(Number) },
  ]);
  expect(during.tables[0]!.memoryOctets).toBeGreaterThan(64 * 2 * 256);
  expect(during.counters).toMatchObject({
    packets: 12,
    ioamPackets: 12,
    dexPackets: 12,
    dexOctets: octets,
    dexMalformed: 0,
    namespaceFiltered: 0,
    tableFull: 0,
  });
  expect(Object.keys(during.counters)).toEqual(expect.arrayContaining(await documentedCounters()));
  const text = await host.print("status");
  const { programId } = during.attachments[0]!;
  expect(text).toMatch(new RegExp(`^${name} +in0 +2 +ingress +tcx +${programId}$`, "m"));
  expect(text).toMatch(new RegExp(`^${name} +6 +64 +9 % +\\d+ MiB$`, "m"));
  expect(text).toMatch(/^dexPackets +12$/m);
  expect(text).toMatch(/^No agent runs/m);

  const flow = { flows: 1, packets: 3, octets: octets / 4 };
  const filter = ["--flow-id", "3", "--dst", "fd00:2::/64", ...netns];
  expect(await host.json("flush", "-n", "in0", ...filter)).toEqual(flow);
  expect(await host.json("flush", "-n", "in0", ...filter)).toMatchObject({ flows: 0, packets: 0 });
  const left = await host.json<{ ioamFlowId: number; interfaceName: string }[]>("dump", ...netns);
  expect(left.map((one) => `${one.interfaceName} ${one.ioamFlowId}`).sort()).toEqual([
    "in0 1",
    "in0 2",
    "out0 1",
    "out0 2",
    "out0 3",
  ]);
  const all = `flushed 5 flows, 9 packets, ${(octets / 12) * 9} octets\n`;
  expect(await host.print("flush", "--all", ...netns)).toBe(all);
  expect((await commands.status()).counters).toMatchObject({
    flushedPackets: 12,
    flushedOctets: octets,
  });

  // A table that still holds flows outlives its last attachment.
  await commands.send(4);
  await commands.counted(14);
  const one = `flushed 1 flow, 1 packet, ${octets / 12} octets\n`;
  expect(await host.print("flush", "-n", "out0", ...netns)).toBe(one);
  expect(await host.json("detach", "-n", "out0", ...netns)).toMatchObject([
    { netns: name, interfaceName: "out0", ifindex: 3, direction: "egress", hook: "tcx" },
  ]);
  const last = await host.ioamctl(["detach", "-n", "in0", ...netns]);
  expect(last).toMatchObject({ code: 0, stdout: `in0: detached, ingress (netns ${name})\n` });
  expect(last.stderr).toMatch(/^ioamctl detach: the table is kept because it holds 1 flow, .*\n$/);
  expect(last.stderr).toContain(`\`ioamctl detach --all --netns ${name}\``);
  expect(await host.json("dump", ...netns)).toHaveLength(1);
  expect((await commands.status()).attachments).toEqual([]);

  const maps = programs.flatMap((one) => one.map_ids ?? []);
  expect(await host.print("detach", "--all", ...netns)).toBe(
    `nothing was attached\ntable removed (netns ${name})\n`,
  );
  await host.clean(lab.router);
  for (const id of new Set(maps)) {
    const { code } = await run("bpftool", ["map", "show", "id", String(id)], { check: false });
    expect(code, `map ${id}`).not.toBe(0);
  }
  expect(await host.json("status")).toEqual(before);
});

test("64-bit integers that JSON's numbers cannot hold are strings", async () => {
  commands.cleanAfterFailure();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  const ledger = ["pinned", `/sys/fs/bpf/ioamctl/${inodeOf(lab.router)}/map_ledger`];
  const read = await host.run(["bpftool", "-j", "map", "dump", ...ledger]);
  const [{ value }] = JSON.parse(read.stdout) as [{ value: string[] }];
  const words = Array.from({ length: value.length / 8 }, (_, i) => 2n ** 53n + BigInt(i));
  const octets = [...new Uint8Array(new BigUint64Array(words).buffer)].map(String);
  const key = ["key", "0", "0", "0", "0"];
  const written = await host.run([
    "bpftool",
    "map",
    "update",
    ...ledger,
    ...key,
    "value",
    ...octets,
  ]);
  expect(written.stderr).toBe("");
  const { counters } = await commands.status();
  expect(Object.values(counters)).toEqual(
    expect.arrayContaining([9007199254740992, "9007199254740993"]),
  );
  expect(await host.print("status")).toContain(" 9007199254740993\n");
});

test("detach --all --netns leaves other namespaces alone, detach --all does not", async () => {
  commands.cleanAfterFailure();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  await host.print("attach", "-n", "snk0", "--netns", lab.sink.name, "--max-flows", "8");
  const status = async () => {
    const { attachments, tables } = await commands.status();
    return { attached: attachments.map((one) => one.netns), tables: tables.map((t) => t.netns) };
  };
  expect((await status()).attached.sort()).toEqual([name, lab.sink.name].sort());
  await host.print("detach", "--all", ...netns);
  expect(await status()).toEqual({ attached: [lab.sink.name], tables: [lab.sink.name] });
  await eventually("its programs are gone", async () => {
    return (await programsOf(lab.router)).length === 0;
  });
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  const lines = (await host.print("detach", "--all")).trimEnd().split("\n").sort();
  expect(lines).toEqual(
    [
      `in0: detached, ingress (netns ${name})`,
      `snk0: detached, ingress (netns ${lab.sink.name})`,
      `table removed (netns ${name})`,
      `table removed (netns ${lab.sink.name})`,
    ].sort(),
  );
  await host.clean(lab.router, lab.sink);
});

test("detach --all removes what a killed command had half made", async () => {
  commands.cleanAfterFailure();
  await host.print("attach", "-n", "in0", ...netns, "--max-flows", "8");
  const { attachments } = await commands.status();
  await host.run(["sh", "-c", "rm /sys/fs/bpf/ioamctl/*/complete /sys/fs/bpf/ioamctl/*/link_*"]);
  expect(attachments).toHaveLength(1);
  expect((await commands.status()).tables).toEqual([]);
  expect(await host.print("detach", "--all", ...netns)).toBe("nothing was attached\n");
  await host.clean(lab.router);
});

test("inside `ip netns exec`, which has a /sys of its own, it pins where everybody sees it", async () => {
  const ioamctl = async (args: string[], inside: string[] = []): Promise<string> => {
    const [program, ...rest] = [...inside, process.execPath, IOAMCTL, ...args];
    return (await run(program!, rest)).stdout;
  };
  const inside = ["ip", "netns", "exec", name];
  onTestFinished(async () => {
    await ioamctl(["detach", "--all", ...netns]);
  });
  // From outside first: where there is no BPF file system yet, only that one may mount it.
  await ioamctl(["attach", "-n", "in0", ...netns]);
  await ioamctl(["detach", "--all", ...netns]);

  await ioamctl(["attach", "-n", "in0"], inside);
  const seen = async (): Promise<string[]> => {
    const { attachments } = JSON.parse(await ioamctl(["status", "--json"])) as StatusJson;
    return attachments.filter((one) => one.netns === name).map((one) => one.interfaceName);
  };
  expect(await seen()).toEqual(["in0"]);
  await ioamctl(["detach", "--all", ...netns]);
  expect(await seen()).toEqual([]);
});
