// IPFIX files: their names and limits, one writer a path, what a crash leaves, what cannot be used.
import { mkdir, open, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Destination,
  type FileOptions,
  fileDestination,
  type Transport,
} from "../../../src/ipfix/index.ts";
import { eventually } from "../../lab/eventually.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";
import { ipfixDump } from "../../lab/ipfixdump.ts";
import {
  dataMessages,
  MOST_RECORDS,
  messageOctets,
  NumberWriter,
  numbersIn,
  templateMessage,
} from "../../lab/numbered-messages.ts";
import { concat } from "../../lab/octets.ts";
import { Background, run } from "../../lab/process.ts";

const SCRIPT = fileURLToPath(new URL("write-file.ts", import.meta.url));
const { signal } = new AbortController();

let folder: Folder;
let path: string;
let part: string;
beforeEach(async () => {
  folder = await temporaryFolder("files");
  path = join(folder.path, "flows.ipfix");
  part = `${path}.part`;
});

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
  await folder.remove();
});

function destination(o: Partial<FileOptions> = {}): Destination {
  return fileDestination({ path, ...o });
}

async function connected(to: Destination = destination()): Promise<Transport> {
  const transport = await to.connect(signal);
  closing.push(transport);
  return transport;
}

async function send(to: Transport, message: Uint8Array): Promise<void> {
  expect(await to.send(message, 0, message.length, message.length)).toBe(message.length);
}

/** Finished files by their names' order, which is that of their age. */
async function finished(): Promise<string[]> {
  const names = (await readdir(folder.path)).filter((name) => name.endsWith(".ipfix"));
  return names.sort().map((name) => join(folder.path, name));
}

/** Numbers of all finished files, one after another. */
async function numbers(): Promise<number[]> {
  const files = await finished();
  const contents = await Promise.all(files.map((file) => readFile(file)));
  return contents.flatMap((octets) => numbersIn(octets));
}

function expectSame(found: Uint8Array, expected: Uint8Array): void {
  expect(found.length).toBe(expected.length);
  expect(Buffer.compare(found, expected)).toBe(0);
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A session's messages: the template, and so many records in each of the others. */
function sessionMessages(counts: readonly number[]): Uint8Array[] {
  let next = 0;
  const data = counts.map((count) => {
    const message = dataMessages(next, next, [count]);
    next += count;
    return message;
  });
  return [templateMessage(), ...data];
}

describe("a file", () => {
  it("is written beside its final name and takes that when it is finished", async () => {
    const before = Math.floor(Date.now() / 1000);
    const writer = new NumberWriter(destination());
    await writer.write(100, 20);
    const after = Math.floor(Date.now() / 1000);
    expect(await readdir(folder.path)).toEqual(["flows.ipfix.part"]);
    await writer.close();
    const [name, ...others] = await readdir(folder.path);
    expect(others).toEqual([]);
    const time = /^flows-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.ipfix$/.exec(name!)!.slice(1);
    const [year, month, ...rest] = time.map(Number) as [number, number, number, number, number];
    const seconds = Date.UTC(year, month - 1, ...rest) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(before);
    expect(seconds).toBeLessThanOrEqual(after);
    const dump = await ipfixDump(join(folder.path, name!));
    expect(dump).toMatchObject({ messages: 21, templates: 1, warnings: [] });
    expect(dump.records.map(({ fields }) => Number(fields.flowId))).toEqual(range(2000));
  });

  it("says what a session needs to know", async () => {
    const transport = await connected();
    expect(transport).toMatchObject({ headerLength: 0, reliable: true });
    expect(transport.pathMtu()).toBe(65_535);
    await transport.writable();
    await send(transport, dataMessages(0, 0, [MOST_RECORDS]));
  });

  it("without a message leaves nothing behind", async () => {
    const transport = await destination().connect(signal);
    await transport.close();
    await transport.close();
    expect(await readdir(folder.path)).toEqual([]);
  });

  it("has what was sent at once in the order of the calls", async () => {
    const transport = await connected();
    const messages = sessionMessages(Array.from({ length: 200 }, (_, i) => 1 + (i % 7)));
    const sent = messages.map((message) => send(transport, message));
    const closed = transport.close();
    await Promise.all([...sent, closed]);
    const [file] = await finished();
    expectSame(await readFile(file!), concat(...messages));
  });

  it("is finished by close; what is sent then is refused", async () => {
    const transport = await destination().connect(signal);
    await send(transport, templateMessage());
    await transport.close();
    const message = templateMessage();
    const late = transport.send(message, 0, message.length, message.length);
    await expect(late).rejects.toMatchObject({ code: "SESSION_CLOSED" });
    expect(await Promise.race([transport.ended, "open"])).toBe("open");
  });

  it("does not keep the process alive, and is finished by the next run", async () => {
    const library = new URL("../../../src/ipfix/index.ts", import.meta.url).href;
    const template = templateMessage();
    const code = `
      import { fileDestination } from ${JSON.stringify(library)};
      const to = fileDestination({ path: ${JSON.stringify(path)} });
      const transport = await to.connect(new AbortController().signal);
      const message = Uint8Array.from(${JSON.stringify([...template])});
      await transport.send(message, 0, message.length, message.length);`;
    await run("node", ["--import", "tsx", "--input-type=module", "-e", code]);
    expect(await readdir(folder.path)).toEqual(["flows.ipfix.part"]);
    await connected();
    const [file] = await finished();
    expectSame(await readFile(file!), template);
  });
});

describe("rotation", () => {
  it("after its time finishes a file, also while idle", async () => {
    const transport = await connected(destination({ rotate: 50 }));
    await send(transport, templateMessage());
    expect(await transport.ended).toBeUndefined();
    const [file, ...others] = await readdir(folder.path);
    expect(others).toEqual([]);
    const before = await readFile(join(folder.path, file!));
    const message = templateMessage();
    const late = transport.send(message, 0, message.length, message.length);
    await expect(late).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(await readFile(join(folder.path, file!))).toEqual(before);
    expect(await readdir(folder.path)).toEqual([file]);
  });

  it("before a size is exceeded finishes a file", async () => {
    const maxOctets = 1_048_576;
    const transport = await connected(destination({ maxOctets }));
    const messages = dataMessages(
      0,
      0,
      Array.from({ length: 500 }, () => 20),
    );
    const length = messageOctets(20);
    const most = Math.floor(maxOctets / length) * length;
    expect(await transport.send(messages, 0, messages.length, length)).toBe(most);
    const again = transport.send(messages, most, messages.length - most, length);
    await expect(again).rejects.toMatchObject({ code: "SESSION_ENDED" });
    expect(await transport.ended).toBeUndefined();
    const [file] = await finished();
    expectSame(await readFile(file!), messages.subarray(0, most));
  });

  it("more often than every second gives names that are unique and in order", async () => {
    const writer = new NumberWriter(destination({ maxOctets: 1_048_576 }));
    await writer.write(400, 400);
    await writer.close();
    expect(writer.sessions).toBeGreaterThan(15);
    expect(await finished()).toHaveLength(writer.sessions);
    expect(await numbers()).toEqual(range(160_000));
  });

  it("keeps as many files as it is told, the newest, and no other file less", async () => {
    const foreign = [
      "flows-20200101T000000Z.txt",
      "flows-old.ipfix",
      "other-20200101T000000Z.ipfix",
    ];
    const old = ["flows-20200101T000000Z.ipfix", "flows-20200101T000000Z002.ipfix"];
    for (const name of [...foreign, ...old]) await writeFile(join(folder.path, name), "");
    const writer = new NumberWriter(destination({ maxOctets: 1_048_576, keep: 3 }));
    await writer.write(400, 160);
    await writer.close();
    expect(writer.sessions).toBeGreaterThan(3);
    const left = await readdir(folder.path);
    expect(left).toEqual(expect.arrayContaining(foreign));
    const kept = left.filter((name) => !foreign.includes(name)).sort();
    expect(kept).toHaveLength(3);
    const newest = await Promise.all(kept.map((name) => readFile(join(folder.path, name))));
    const last = newest.flatMap((octets) => numbersIn(octets));
    expect(last).toEqual(range(64_000).slice(-last.length));
  });

  it("at any point loses no message and changes no order", async () => {
    const batches = fc.array(
      fc.record({
        count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: MOST_RECORDS })),
        batch: fc.integer({ min: 1, max: 20 }),
        last: fc.integer({ min: 1, max: MOST_RECORDS }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    const limits = fc.record({
      maxOctets: fc.integer({ min: 1_048_576, max: 2_000_000 }),
      rotate: fc.constantFrom(10, 3_600_000),
    });
    await fc.assert(
      fc.asyncProperty(limits, batches, async (limit, all) => {
        const writer = new NumberWriter(destination({ ...limit, sync: 3 }));
        for (const { count, batch, last } of all) {
          await writer.write(count, batch, Math.min(last, count));
        }
        await writer.close();
        for (const file of await finished()) {
          expect((await readFile(file)).length).toBeLessThanOrEqual(limit.maxOctets);
        }
        expect(await numbers()).toEqual(range(writer.next));
        for (const file of await finished()) await rm(file);
        expect(await readdir(folder.path)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe("another writer of the same path", () => {
  it("is refused until the first has ended", async () => {
    const first = await connected();
    await send(first, templateMessage());
    await expect(destination().connect(signal)).rejects.toMatchObject({
      code: "FILE_LOCKED",
      message: expect.stringContaining(part),
    });
    await send(first, dataMessages(0, 0, [5]));
    await first.close();
    const second = await connected();
    await send(second, templateMessage());
    await second.close();
    expect(await finished()).toHaveLength(2);
    expect(await numbers()).toEqual(range(5));
  });

  it("is refused while another process has it; when that is killed its file is finished", async () => {
    const args = ["--import", "tsx", SCRIPT, path, "3600000", "1000000"];
    await using writer = new Background("node", args);
    await writer.until(/\d/);
    await expect(destination().connect(signal)).rejects.toMatchObject({ code: "FILE_LOCKED" });
    await writer.stop("SIGKILL");
    const taken = Number(writer.output.trim().split("\n").at(-1));
    await connected();
    const found = await numbers();
    expect(found).toEqual(range(found.length));
    expect(found.length).toBeGreaterThanOrEqual(taken);
  });

  it("cannot be found out without flock: that is said", async () => {
    const { PATH } = process.env;
    process.env.PATH = folder.path;
    try {
      await expect(destination().connect(signal)).rejects.toMatchObject({
        code: "LOCK_FAILED",
        message: expect.stringContaining("util-linux"),
      });
    } finally {
      process.env.PATH = PATH;
    }
  });

  it("in another folder or of another name is let alone", async () => {
    await mkdir(join(folder.path, "sub"));
    const paths = [path, join(folder.path, "traces.ipfix"), join(folder.path, "sub/flows.ipfix")];
    for (const one of paths) await connected(destination({ path: one }));
  });
});

describe("what a former run left", () => {
  it("is cut behind its last whole message, wherever it was cut off", async () => {
    const counts = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(counts, fc.nat(), fc.nat({ max: 2 }), async (sizes, cut, zeros) => {
        for (const file of await finished()) await rm(file);
        const messages = sessionMessages(sizes);
        const all = concat(...messages);
        const kept = all.subarray(0, cut % (all.length + 1));
        let whole = 0;
        for (const { length } of messages) {
          if (whole + length > kept.length) break;
          whole += length;
        }
        // A power cut may leave zeros where data should be, if nothing of the message is there.
        const tail = new Uint8Array(whole === kept.length ? zeros * 40_000 : 0);
        await writeFile(part, concat(kept, tail));
        const transport = await destination().connect(signal);
        await transport.close();
        const files = await finished();
        expect(files).toHaveLength(whole > 0 ? 1 : 0);
        for (const file of files) {
          expectSame(await readFile(file), all.subarray(0, whole));
        }
        expect(await readdir(folder.path)).toHaveLength(files.length);
      }),
      {
        numRuns: 100,
        examples: [
          [[3], 0, 2],
          [[3], 1, 0],
          [[3], 32, 0],
          [[3], 32, 1],
        ],
      },
    );
  });

  it("may be larger than memory is taken for it", async () => {
    const handle = await open(part, "w");
    await handle.write(templateMessage());
    let next = 0;
    for (let i = 0; i < 60; i++) {
      await handle.write(dataMessages(next, next, [MOST_RECORDS]));
      next += MOST_RECORDS;
    }
    await handle.write(dataMessages(next, next, [MOST_RECORDS]).subarray(0, -1));
    await handle.close();
    await connected();
    expect(await numbers()).toEqual(range(next));
  });

  it("has the name of the time when it was begun, unless that is taken or was", async () => {
    const template = templateMessage();
    new DataView(template.buffer).setUint32(4, Date.UTC(2026, 10, 21, 0, 45) / 1000);
    await writeFile(join(folder.path, "flows-20261121T004500Z.ipfix"), "mine");
    const to = destination();
    for (const ordinal of ["002", "003"]) {
      await writeFile(part, template);
      await (await to.connect(signal)).close();
      const name = join(folder.path, `flows-20261121T004500Z${ordinal}.ipfix`);
      expectSame(await readFile(name), template);
      await rm(name);
    }
    expect(await readdir(folder.path)).toEqual(["flows-20261121T004500Z.ipfix"]);
  });

  const second = templateMessage().length + messageOctets(10);
  it.each([
    ["a header", second, (all: Uint8Array) => all.fill(0xff, second, second + 2)],
    ["the beginning", 0, (all: Uint8Array) => all.fill(0xff, 0, 2)],
    ["a set's header", second, (all: Uint8Array) => all.fill(0, second + 16, second + 500)],
  ])("is kept beside its whole messages when it is damaged in %s", async (_, whole, damage) => {
    const all = concat(...sessionMessages(Array.from({ length: 40 }, () => 10)));
    const damaged = damage(all);
    await writeFile(part, damaged);
    await connected();
    const [copy] = (await readdir(folder.path)).filter((name) => name.endsWith(".damaged"));
    expectSame(await readFile(join(folder.path, copy!)), damaged);
    const files = await finished();
    expect(files).toHaveLength(whole > 0 ? 1 : 0);
    for (const file of files) expectSame(await readFile(file), damaged.subarray(0, whole));
  });

  it("of processes that are killed at any moment makes a sequence without gaps", async () => {
    let total = 0;
    for (let kill = 0; kill < 5; kill++) {
      const args = ["--import", "tsx", SCRIPT, path, "40", "1000000"];
      await using writer = new Background("node", args);
      await writer.until(new RegExp(`(\\d+\\n){${3 + 4 * kill}}`));
      await writer.stop("SIGKILL");
      const taken = Number(writer.output.trim().split("\n").at(-1));
      await (await destination().connect(signal)).close();
      const found = await numbers();
      expect(found).toEqual(range(found.length));
      expect(found.length).toBeGreaterThanOrEqual(taken);
      const files = await finished();
      for (const file of files.slice(-2)) expect((await ipfixDump(file)).warnings).toEqual([]);
      for (const file of files) await rm(file);
      total += found.length;
    }
    expect(total).toBeGreaterThan(0);
  });

  it.each([
    ["a folder", (at: string) => mkdir(at), "EISDIR"],
    ["a symbolic link", (at: string) => symlink("/dev/null", at), "ELOOP"],
    ["a pipe", (at: string) => run("mkfifo", [at]), "EEXIST"],
  ])("is no file but %s: that is said", async (_, make, code) => {
    await make(part);
    await expect(destination().connect(signal)).rejects.toMatchObject({ code });
  });
});

describe("a file that is taken away", () => {
  it("ends the session; the next begins another when the folder is there again", async () => {
    const sub = join(folder.path, "sub");
    await mkdir(sub);
    const to = destination({ path: join(sub, "flows.ipfix"), sync: 10 });
    const transport = await connected(to);
    await send(transport, templateMessage());
    await rm(sub, { recursive: true });
    expect(await transport.ended).toMatchObject({ code: "FILE_REMOVED" });
    const message = templateMessage();
    const late = transport.send(message, 0, message.length, message.length);
    await expect(late).rejects.toMatchObject({ code: "FILE_REMOVED" });
    await expect(to.connect(signal)).rejects.toMatchObject({ code: "ENOENT" });
    await mkdir(sub);
    await send(await connected(to), templateMessage());
    expect(await readdir(sub)).toEqual(["flows.ipfix.part"]);
  });

  it("is noticed when it is finished, and what took its name is left alone", async () => {
    const transport = await connected();
    await send(transport, templateMessage());
    await rm(part);
    await writeFile(part, "mine");
    await transport.close();
    expect(await transport.ended).toMatchObject({ code: "FILE_REMOVED" });
    expect(await readFile(part, "utf8")).toBe("mine");
    expect(await finished()).toEqual([]);
  });
});

describe("connecting", () => {
  it("can be broken off; what was opened is closed", async () => {
    const aborting = new AbortController();
    const attempt = destination().connect(aborting.signal);
    aborting.abort(new Error("enough"));
    await expect(attempt).rejects.toThrow("enough");
    await eventually("the lock is free", async () => {
      const transport = await destination()
        .connect(signal)
        .catch(() => undefined);
      await transport?.close();
      return transport !== undefined;
    });
    expect(await readdir(folder.path)).toEqual([]);
  });
});

describe("options", () => {
  it("name the destination", () => {
    const to = destination();
    expect(to).toMatchObject({ name: `file ${path}`, retry: { first: 1000, most: 60_000 } });
  });

  it.each([
    [{ path: "" }, "path"],
    [{ path: "folder/" }, "path"],
    [{ path: "a\0b" }, "path"],
    [{ path: `${"ü".repeat(110)}.ipfix.gz` }, "at most 227 octets"],
    [{ rotate: 0 }, "rotate"],
    [{ rotate: 2 ** 31 }, "rotate"],
    [{ sync: 0.5 }, "sync"],
    [{ maxOctets: 1_048_575 }, "maxOctets"],
    [{ keep: 0 }, "keep"],
    [{ retry: { first: 2, most: 1 } }, "retry.first"],
  ] as [Partial<FileOptions>, string][])("that cannot be used: %o", (o, named) => {
    expect(() => destination(o)).toThrowError(
      expect.objectContaining({
        code: "DESTINATION_INVALID",
        message: expect.stringContaining(named),
      }),
    );
  });

  it("take the longest name that has room for the time, and whatever else is added", async () => {
    const longest = "x".repeat(227);
    await writeFile(join(folder.path, `${longest}.part`), "no IPFIX");
    const to = destination({ path: join(folder.path, longest) });
    for (let i = 0; i < 2; i++) {
      const transport = await connected(to);
      await send(transport, templateMessage());
      await transport.close();
    }
    expect((await readdir(folder.path)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("are checked at once against what is there", async () => {
    await mkdir(join(folder.path, "folder"));
    await writeFile(join(folder.path, "file"), "");
    for (const [name, code] of [
      ["folder", "EISDIR"],
      ["file/flows.ipfix", "ENOTDIR"],
      ["none/flows.ipfix", "ENOENT"],
    ] as const) {
      expect(() => destination({ path: join(folder.path, name) })).toThrowError(
        expect.objectContaining({ code, message: expect.stringContaining(name) }),
      );
    }
  });
});
