// Run as a process of its own by dtls.test.ts: sessions whose traces are looked for afterwards.
import { readdirSync, readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { type DtlsOptions, openDtls } from "../../src/native/dtls.ts";

export interface DtlsTask extends DtlsOptions {
  what: "handshakes" | "closed" | "refused" | "idle" | "fill";
  count: number;
}

const { what, count, ...options } = JSON.parse(process.argv[2]!) as DtlsTask;

/** Anonymous memory in KiB, and open descriptors. */
async function traces(): Promise<{ anonymous: number; descriptors: number }> {
  // What a turn's collection frees is given back in the next.
  for (let i = 0; i < 3; i++) {
    (globalThis as { gc?: () => void }).gc!();
    await nextTurn();
  }
  const status = readFileSync("/proc/self/status", "utf8");
  const anonymous = Number(/RssAnon:\s+(\d+)/.exec(status)![1]);
  return { anonymous, descriptors: readdirSync("/proc/self/fd").length };
}

async function handshake(): Promise<void> {
  const name = what === "refused" ? "127.0.0.9" : options.name;
  const session = openDtls({ ...options, name });
  if (what !== "closed") {
    const failure = await session.connected;
    if (failure?.kind !== (what === "refused" ? "certificate" : undefined)) {
      throw new Error(`${failure?.kind}: ${failure?.reason}`);
    }
    if (failure === undefined) session.send(new Uint8Array(5000), 0, 5000, 1000);
  }
  session.close();
}

if (what === "idle") {
  const session = openDtls(options);
  await session.connected;
  console.log("idle");
} else if (what === "fill") {
  const LENGTH = 1400;
  const session = openDtls(options);
  await session.connected;
  const messages = new Uint8Array(count * LENGTH);
  const view = new DataView(messages.buffer);
  for (let i = 0; i < count; i++) view.setUint32(i * LENGTH, i);
  let waits = 0;
  let taken = 0;
  while (taken < messages.length) {
    const octets = session.send(messages, taken, messages.length - taken, LENGTH);
    if (octets === 0) waits += (await session.writable()) ?? 1;
    taken += octets;
  }
  console.log(JSON.stringify({ waits, taken }));
} else {
  // The first third warms up: code, caches, arenas of the allocator.
  for (let i = 0; i < count / 3; i++) await handshake();
  const before = await traces();
  for (let i = 0; i < count; i++) await handshake();
  console.log(JSON.stringify([before, await traces()]));
}
