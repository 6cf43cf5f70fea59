// An agent, traffic, and collectors of which one fails: the others get everything, and every record is accounted for.

import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Authority } from "../lab/certificates.ts";
import { closedAfterEach } from "../lab/closed-after-each.ts";
import { exportedFlows } from "../lab/exported-flows.ts";
import { StreamCollector, type StreamCollectorOptions } from "../lab/stream-collector.ts";
import { CommandLab, warnings } from "../net/command-lab.ts";
import { FLOWS, UnderTraffic } from "./under-traffic.ts";

let commands: CommandLab;
let authority: Authority;

beforeAll(async () => {
  [commands, authority] = await Promise.all([CommandLab.start(), Authority.create()]);
  await authority.issue("collector", { names: "DNS:collector.example,IP:127.0.0.1" });
  await authority.issue("router");
});
afterAll(async () => {
  await commands?.close();
  await authority?.close();
});

const opened = closedAfterEach();

const underTraffic = async (
  kind: "collectors" | "outputs",
  failing: string,
): Promise<UnderTraffic> => opened(await UnderTraffic.start(commands, kind, failing));

async function start(o: StreamCollectorOptions = {}): Promise<StreamCollector> {
  return opened(await StreamCollector.start({ receiveBuffer: 65_536, ...o }));
}

const tcp = ({ port }: StreamCollector): string =>
  `- { address: "127.0.0.1:${port}", transport: tcp, reconnect: 100ms }`;

test("a collector over TCP that freezes", async () => {
  const frozen = await start();
  const run = await underTraffic("collectors", tcp(frozen));
  await run.until("it gets flows", ({ records }) => records > 2 * FLOWS);
  frozen.process.child.kill("SIGSTOP");
  await run.until("it loses some", ({ droppedRecords }) => droppedRecords > 0);
  const before = await run.memory();
  for (let i = 0; i < 2; i++) await run.goesOn();
  expect((await run.memory()) - before).toBeLessThan(30_000_000);
  expect((await run.failing()).state).toBe("connected");
  const { records } = await run.failing();
  frozen.process.child.kill("SIGCONT");
  await run.until("it gets flows again", (now) => now.records > records + 2 * FLOWS);
  const ended = await run.end();
  // One session, in which all arrived that it took.
  const { file } = await frozen.connection("the end", ({ state }) => state !== "open");
  expect(await exportedFlows(file)).toMatchObject({ records: ended.records, gaps: 0 });
});

test("a collector over TCP that is killed and restarted", async () => {
  const first = await start();
  const run = await underTraffic("collectors", tcp(first));
  await run.until("it gets flows", ({ records }) => records > 2 * FLOWS);
  await first.process.stop("SIGKILL");
  await run.until("it loses some", ({ droppedRecords }) => droppedRecords > 0);
  const { records } = await run.failing();
  const second = await start({ port: first.port });
  await run.until("it gets flows again", (now) => now.records > records + 2 * FLOWS);
  await run.end();
  expect(warnings(run.agent).map(({ msg }) => msg)).toContain("not connected: trying again");
  const { file } = await second.connection("the end", ({ state }) => state !== "open");
  const got = await exportedFlows(file);
  expect(got.gaps).toBe(0);
  expect(got.records).toBeGreaterThan(2 * FLOWS);
});

test("a collector over TLS that takes a certificate no more; renewed on disk, it is taken again", async () => {
  const stranger = opened(await Authority.create());
  const tls = (ca: string) => ({ tls: { ...authority.identity("collector"), ca } });
  const first = await start(tls(authority.cert));
  const { path } = commands.folder;
  const files = { cert: join(path, "router.pem"), key: join(path, "router.key") };
  const renew = async (from: { cert: string; key: string }) => {
    for (const which of ["cert", "key"] as const) {
      await writeFile(`${files[which]}.new`, await readFile(from[which]));
      await rename(`${files[which]}.new`, files[which]);
    }
  };
  await renew(authority.identity("router"));
  const run = await underTraffic(
    "collectors",
    `- { address: "127.0.0.1:${first.port}", transport: tls, reconnect: 100ms, tls: { ca: ${authority.cert}, cert: router.pem, key: router.key } }`,
  );
  await run.until("it gets flows", ({ records }) => records > 2 * FLOWS);
  await first.close();
  // It trusts another authority now.
  const second = await start({ ...tls(stranger.cert), port: first.port });
  await run.until("it refuses", ({ error }) => error?.includes("refuse") === true);
  await run.until("it loses some", ({ droppedRecords }) => droppedRecords > 0);
  const { records } = await run.failing();
  await renew(await stranger.issue("router"));
  await run.until("it gets flows again", (now) => now.records > records + 2 * FLOWS);
  await run.end();
  const refusal = warnings(run.agent).find(
    ({ err }) => (err as { code?: string } | undefined)?.code === "TLS_REFUSED",
  );
  expect(refusal).toMatchObject({ level: "warn", msg: "not connected: trying again" });
  const connections = await second.order({ command: "list" });
  const got = await exportedFlows(connections.at(-1)!.file);
  expect(got.records).toBeGreaterThan(2 * FLOWS);
});

test("a collector whose name stops resolving", async () => {
  const { host, folder } = commands;
  const hosts = join(folder.path, "hosts");
  await writeFile(hosts, "127.0.0.1 localhost collector.invalid\n");
  await host.run(["mount", "--bind", hosts, "/etc/hosts"]);
  const first = await start();
  const run = await underTraffic(
    "collectors",
    `- { address: "collector.invalid:${first.port}", transport: tcp, reconnect: 100ms }`,
  );
  await run.until("it gets flows", ({ records }) => records > 2 * FLOWS);
  await writeFile(hosts, "127.0.0.1 localhost\n");
  await first.close();
  await run.until("the name is missing", ({ error }) => error?.includes("resolve") === true);
  await run.until("it loses some", ({ droppedRecords }) => droppedRecords > 0);
  // It has moved.
  const { records } = await run.failing();
  await start({ address: "127.0.0.2", port: first.port });
  await writeFile(hosts, "127.0.0.1 localhost\n127.0.0.2 collector.invalid\n");
  await run.until("it gets flows again", (now) => now.records > records + 2 * FLOWS);
  await run.end();
  await host.run(["umount", "/etc/hosts"]);
});

test("a file on a disk that is full", async () => {
  const { host, folder } = commands;
  const disk = join(folder.path, "disk");
  await host.run(["mkdir", disk]);
  await host.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", disk]);
  const filler = join(disk, "filler");
  await host.run(["dd", "if=/dev/zero", `of=${filler}`, "bs=1M", "count=38"]);
  const run = await underTraffic("outputs", `- file: { path: ${disk}/flows.ipfix }`);
  await run.until("it is full", ({ droppedRecords }) => droppedRecords > 0);
  await run.goesOn();
  const { records } = await run.failing();
  await host.run(["rm", filler]);
  await run.until("it goes on", (now) => now.records > records + FLOWS);
  const ended = await run.end();
  // Each file by itself; what was written when the disk was full is whole messages.
  let written = 0;
  const { stdout } = await host.run(["sh", "-c", `ls ${disk}/flows-*.ipfix`]);
  for (const [i, file] of stdout.trim().split("\n").entries()) {
    const copy = join(folder.path, `${i}.ipfix`);
    const { stdout: octets } = await host.run(["base64", "-w0", file]);
    await writeFile(copy, Buffer.from(octets, "base64"));
    const got = await exportedFlows(copy);
    expect(got.gaps).toBe(0);
    written += got.records;
  }
  expect(written).toBe(ended.records);
  await host.run(["umount", disk]);
});
