// The dtls addon: what it needs of the node process, its limits, and that it leaves nothing behind.

import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkOpenssl, type DtlsSession, loadDtls, openDtls } from "../../src/native/dtls.ts";
import { Authority } from "../lab/certificates.ts";
import { closedAfterEach } from "../lab/closed-after-each.ts";
import { eventually } from "../lab/eventually.ts";
import { temporaryFolder } from "../lab/guard.ts";
import { createNetns } from "../lab/netns.ts";
import { OpensslServer, type OpensslServerOptions } from "../lab/openssl-server.ts";
import { run } from "../lab/process.ts";
import { freeUdpPort } from "../lab/udp-port.ts";
import type { DtlsTask } from "./dtls-task.ts";

const ADDON = fileURLToPath(new URL("../../native/build/Release/dtls.node", import.meta.url));
const SCRIPT = fileURLToPath(new URL("dtls-task.ts", import.meta.url));

let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create();
  await authority.issue("collector", { names: "IP:127.0.0.1" });
  await authority.issue("router");
});
afterAll(() => authority?.close());

const opened = closedAfterEach();

async function server(o: Partial<OpensslServerOptions> = {}): Promise<OpensslServer> {
  const [identity, ca] = [authority.identity("collector"), authority.cert];
  return opened(await OpensslServer.start({ version: "dtls1_2", identity, ca, ...o }));
}

async function task(what: DtlsTask["what"], port: number, count = 1): Promise<DtlsTask> {
  const { cert, key } = authority.identity("router");
  const read = (file: string): Promise<string> => readFile(file, "utf8");
  return {
    ...{ what, port, count, address: "127.0.0.1", family: 4 },
    ...{ name: "127.0.0.1", nameIsAddress: true },
    ...{ ca: await read(authority.cert), cert: await read(cert), key: await read(key) },
  };
}

async function session(port: number): Promise<DtlsSession> {
  const one = opened(openDtls(await task("idle", port)));
  expect(await one.connected).toBeUndefined();
  return one;
}

const args = (one: DtlsTask): string[] => [
  "--expose-gc",
  "--import",
  "tsx",
  SCRIPT,
  JSON.stringify(one),
];

describe("the OpenSSL of the process", () => {
  it("is used, not the system's: nothing is linked, everything is bound weakly", async () => {
    const { stdout: needed } = await run("readelf", ["-d", ADDON]);
    expect(needed).not.toMatch(/NEEDED.*(ssl|crypto)/);
    const { stdout: undefinedSymbols } = await run("nm", ["-D", "--undefined-only", ADDON]);
    const strong = undefinedSymbols.match(
      /U (SSL|DTLS|X509|BIO|ERR|EVP|PEM|OPENSSL|CRYPTO|i2d)\w*/g,
    );
    expect(undefinedSymbols).toMatch(/w DTLS_client_method/);
    expect(strong).toBeNull();
  });

  it.each(["DTLS_client_method", "SSL_do_handshake", "OpenSSL_version_num"])(
    "without %s there is a clear refusal, not a crash",
    async (name) => {
      const folder = await temporaryFolder("dtls");
      opened({ close: () => folder.remove() });
      const octets = await readFile(ADDON);
      // In the table of symbols, which comes before any text: now nobody has it.
      octets.write("~", octets.indexOf(`\0${name}\0`) + 1);
      await writeFile(join(folder.path, "dtls.node"), octets);
      expect(() => loadDtls(folder.path)).toThrowError(
        expect.objectContaining({
          code: "DTLS_UNAVAILABLE",
          message: `this Node.js (${process.version}) has no DTLS (its OpenSSL lacks ${name}): use Node.js as https://nodejs.org offers it, or export over TLS`,
        }),
      );
    },
  );

  it.each([
    ["3.0.13", 0x300000d0, "3.0.19", 0x30000130, undefined],
    ["3.0", 0x30000130, "3.5", 0x30500060, undefined],
    ["3.5", 0x30500060, "3.0", 0x30000130, /runs OpenSSL 3.0, .* built for 3.5: run make build/],
    ["3.0", 0x30000130, "4.0", 0x40000000, /runs OpenSSL 4.0, .* built for 3.0: run make build/],
    ["3.0", 0x30000130, "1.1", 0x1010117f, /runs OpenSSL 1.1, .* built for 3.0: run make build/],
  ])("built for %s (%i), on %s (%i)", (_built, built, _running, running, refused) => {
    const check = (): void => checkOpenssl({ built, running });
    if (refused === undefined) check();
    else {
      expect(check).toThrowError(
        expect.objectContaining({
          code: "DTLS_UNAVAILABLE",
          message: expect.stringMatching(refused),
        }),
      );
    }
  });
});

describe("a session", () => {
  it("refuses lengths and offsets beyond the buffer, and messages beyond a record", async () => {
    const one = await session((await server()).port);
    const buffer = new Uint8Array(20_000);
    for (const [offset, length, segment] of [
      [0, 20_001, 50],
      [20_001, 1, 1],
      [-1, 10, 10],
      [0, 0, 10],
      [0, 10, 0],
      [0, 20_000, 16_385],
    ] as const) {
      expect(() => one.send(buffer, offset, length, segment)).toThrowError(
        expect.objectContaining({ code: "EINVAL" }),
      );
    }
    expect(() => one.send({} as Uint8Array, 0, 1, 1)).toThrow();
  });

  it("takes parts of larger buffers, and the longest messages", async () => {
    const collector = await server();
    const one = await session(collector.port);
    const whole = Uint8Array.from({ length: 40_000 }, (_, i) => i * 7);
    const octets = 2 * 16_384 + 100;
    expect(one.send(whole.subarray(100, 39_000), 50, octets, 16_384)).toBe(octets);
    await eventually("all of it", () => collector.received.length === octets);
    expect(new Uint8Array(collector.received)).toEqual(whole.subarray(150, 150 + octets));
  });

  it("lets a wait for room end when it is closed", async () => {
    const one = await session((await server()).port);
    const waits = [one.writable(), one.writable()];
    one.close();
    one.close();
    await Promise.all(waits);
    await one.writable();
    expect(() => one.send(new Uint8Array(1), 0, 1, 1)).toThrowError(
      expect.objectContaining({ code: "EBADF" }),
    );
    expect(one.pathMtu()).toBeUndefined();
  });

  it("discards what the collector sends, however much", async () => {
    const collector = await server();
    const one = await session(collector.port);
    let ended = false;
    void one.over.then(() => {
      ended = true;
    });
    for (let i = 0; i < 200; i++) collector.process.child.stdin!.write(`${"x".repeat(5000)}\n`);
    expect(one.send(Buffer.from("still there"), 0, 11, 11)).toBe(11);
    await eventually("a message", () => collector.received.toString() === "still there");
    expect(ended).toBe(false);
  });

  it("an address without a route is an error at once", async () => {
    const alone = {
      ...(await task("idle", 4740)),
      address: "fe80::1%no-such-if",
      family: 6 as const,
    };
    expect(() => openDtls(alone)).toThrowError(expect.objectContaining({ code: "EINVAL" }));
  });

  it("a full socket is waited for, and every message arrives once, in order", async () => {
    await using netns = await createNetns("slow");
    const collector = await server({ netns });
    // So slow that openssl surely keeps pace.
    await netns.run("tc", "qdisc add dev lo root tbf rate 4mbit burst 16kb limit 16mb".split(" "));
    const count = 300;
    const { stdout } = await netns.run("node", args(await task("fill", collector.port, count)));
    const { waits, taken } = JSON.parse(stdout) as { waits: number; taken: number };
    expect(waits).toBeGreaterThan(0);
    await eventually("all messages", () => collector.received.length === taken);
    const numbers = Array.from({ length: count }, (_, i) =>
      collector.received.readUInt32BE(i * (taken / count)),
    );
    expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
  });
});

describe("what stays behind", () => {
  it("hundreds of sessions leave neither memory nor descriptors", async () => {
    const { port } = await server();
    const { stdout } = await run("node", args(await task("handshakes", port, 300)));
    const [before, after] = JSON.parse(stdout) as { anonymous: number; descriptors: number }[];
    // A single session takes some 50 KiB.
    expect(after!.anonymous - before!.anonymous).toBeLessThan(300 * 10);
    expect(after!.descriptors).toBe(before!.descriptors);
  });

  it("nor do those closed in the handshake, refused or unanswered", async () => {
    for (const what of ["closed", "refused"] as const) {
      // One each: s_server serves one client at a time, and waits minutes for one that went away.
      const { port } = await server();
      const { stdout } = await run("node", args(await task(what, port, 600)));
      const [before, after] = JSON.parse(stdout) as { anonymous: number; descriptors: number }[];
      expect(after!.anonymous - before!.anonymous).toBeLessThan(600 * 10);
      expect(after!.descriptors).toBe(before!.descriptors);
    }
  });

  it("an idle session lets the process end, and is closed then", async () => {
    const collector = await server({ args: ["-naccept", "1"] });
    expect((await run("node", args(await task("idle", collector.port)))).stdout).toBe("idle\n");
    expect(await collector.process.ended).toMatchObject({ signal: null });
  });

  it("a worker may end in the handshake, while idle, and while it waits for room", async () => {
    const collector = await server();
    const ports = [await freeUdpPort("127.0.0.1"), collector.port];
    for (let i = 0; i < 6; i++) {
      const options = { ...(await task("idle", ports[i % 2]!)), sendBuffer: 0 };
      const code = `
        const { Session } = require(${JSON.stringify(ADDON)});
        const options = ${JSON.stringify(options)};
        const end = () => {
          if (${i} > 2) session.awaitRoom();
          process.exit(3);
        };
        const session = new Session(options, end);
        // The handshake may be over at once, of which no event tells.
        if (${i} === 0 || session.state !== "handshake") end();`;
      const [exitCode] = (await once(new Worker(code, { eval: true }), "exit")) as [number];
      expect(exitCode).toBe(3);
    }
  });
});
