// Disks that are full or read-only under the file output: counted exactly, nothing stalls, it recovers.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  fileDestination,
  recordLayout,
  Template,
} from "../../src/ipfix/index.ts";
import { eventually } from "../lab/eventually.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { dataMessages, messageOctets, NumberWriter, numbersIn } from "../lab/numbered-messages.ts";
import { SmallDisk } from "../lab/small-disk.ts";

const { signal } = new AbortController();

/** Numbers in the finished files of a folder, one after another. */
async function numbers(folder: string): Promise<number[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".ipfix")).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.flatMap((octets) => numbersIn(octets));
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

// 1 300 octets, 64 in one write: neither divides a page.
const RECORDS = 10;
const BATCH = 48;

test("a full disk: whole messages stay, the rest is refused; with room again it goes on", async () => {
  await using disk = await SmallDisk.mount(2 << 20);
  const ballast = join(disk.path, "ballast");
  await writeFile(ballast, new Uint8Array(1 << 20));
  const to = fileDestination({ path: join(disk.path, "flows.ipfix") });
  const writer = new NumberWriter(to);
  const transport = await writer.open();
  let handedOver = 0;
  const fill = async (): Promise<void> => {
    for (;;) {
      handedOver += RECORDS * BATCH;
      await writer.write(RECORDS, BATCH);
    }
  };
  await expect(fill()).rejects.toMatchObject({
    code: "ENOSPC",
    message: expect.stringContaining("make room"),
  });
  const taken = writer.next;
  expect(taken).toBeLessThan(handedOver);
  expect(taken).toBeGreaterThan(handedOver - RECORDS * BATCH);
  expect(await transport.ended).toMatchObject({ code: "ENOSPC" });
  // What is on the disk is what was taken, in whole messages, for other readers too.
  expect(await numbers(disk.path)).toEqual(range(taken));
  const [file] = (await readdir(disk.path)).filter((name) => name.startsWith("flows"));
  const dump = await ipfixDump(join(disk.path, file!));
  expect(dump).toMatchObject({ warnings: [], messages: 1 + taken / RECORDS });

  for (let i = 0; i < 3; i++) {
    await expect(to.connect(signal)).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await readdir(disk.path)).toHaveLength(2);
  }
  await rm(ballast);
  await writer.write(RECORDS, BATCH);
  await writer.close();
  expect(await numbers(disk.path)).toEqual(range(taken + RECORDS * BATCH));
});

test("an exporting process: what is in the files and what was dropped is what was handed over", async () => {
  await using disk = await SmallDisk.mount(2 << 20);
  const ballast = join(disk.path, "ballast");
  await writeFile(ballast, new Uint8Array(1 << 20));
  const element = new ElementRegistry().get("flowId");
  const template = new Template(256, [{ element, source: { kind: "unsigned", field: "number" } }]);
  const path = join(disk.path, "flows.ipfix");
  const session = new ExportingProcess({
    destination: fileDestination({ path, rotate: 30, retry: { first: 10, most: 20 } }),
    observationDomainId: 1,
    encoders: [compileEncoder(template, recordLayout({ number: 8 }))],
  });
  const COUNT = 10_000;
  const offsets = Uint32Array.from({ length: COUNT }, (_, i) => 2 * i);
  const sent: number[] = [];
  let next = 0;
  const exportSome = async (): Promise<string | undefined> => {
    const first = next;
    const numbers = BigUint64Array.from({ length: COUNT }, () => BigInt(next++));
    const { dropped, error } = await session.export(
      numbers.buffer,
      offsets,
      COUNT,
      new Uint8Array(COUNT),
      {},
      { signal: AbortSignal.timeout(100) },
    );
    const lost = new Set(dropped);
    for (let i = 0; i < COUNT; i++) if (!lost.has(i)) sent.push(first + i);
    return error?.code;
  };
  let refused = 0;
  while (refused < 3) if ((await exportSome()) === "ENOSPC") refused++;
  await rm(ballast);
  await eventually("it goes on", async () => (await exportSome()) === undefined);
  await session.close();
  const { records, droppedRecords } = session.counters;
  expect(droppedRecords).toBeGreaterThan(0);
  expect(records + droppedRecords).toBe(next);
  const found = await numbers(disk.path);
  expect(found).toHaveLength(sent.length);
  expect(found).toEqual(sent);
});

test("a disk that fills up in the middle of a batch takes its whole messages", async () => {
  await using disk = await SmallDisk.mount(1 << 20);
  const to = fileDestination({ path: join(disk.path, "flows.ipfix") });
  const transport = await to.connect(signal);
  const length = messageOctets(RECORDS);
  const counts = Array.from({ length: 1000 }, () => RECORDS);
  const messages = dataMessages(0, 0, counts);
  const taken = await transport.send(messages, 0, messages.length, length);
  expect(taken % length).toBe(0);
  expect(taken).toBeGreaterThan((1 << 20) - 2 * length - 4096);
  const part = await readFile(join(disk.path, "flows.ipfix.part"));
  expect(Buffer.compare(part, messages.subarray(0, taken))).toBe(0);
  const rest = messages.length - taken;
  await expect(transport.send(messages, taken, rest, length)).rejects.toMatchObject({
    code: "ENOSPC",
  });
  expect(await transport.ended).toMatchObject({ code: "ENOSPC" });
  await transport.close();
  const [file, ...others] = await readdir(disk.path);
  expect(others).toEqual([]);
  const finished = await readFile(join(disk.path, file!));
  expect(Buffer.compare(finished, messages.subarray(0, taken))).toBe(0);
});

test("a read-only disk is said, at once and when connecting; writable again it goes on", async () => {
  await using disk = await SmallDisk.mount(1 << 20);
  const path = join(disk.path, "flows.ipfix");
  const to = fileDestination({ path });
  await disk.readOnly(true);
  const refused = { code: "EROFS", message: expect.stringContaining("mount it for writing") };
  expect(() => fileDestination({ path })).toThrowError(expect.objectContaining(refused));
  await expect(to.connect(signal)).rejects.toMatchObject(refused);
  await disk.readOnly(false);
  const writer = new NumberWriter(to);
  await writer.write(RECORDS, BATCH);
  await writer.close();
  expect(await numbers(disk.path)).toEqual(range(RECORDS * BATCH));
});
