// Collectors over TCP and TLS that close, reset, freeze, read slowly, die or are something else.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Destination,
  type Transport,
  tcpDestination,
  tlsDestination,
} from "../../src/ipfix/index.ts";
import { Authority } from "../lab/certificates.ts";
import { closedAfterEach } from "../lab/closed-after-each.ts";
import { eventually } from "../lab/eventually.ts";
import { messageFacts } from "../lab/ipfix-messages.ts";
import { Background, run as runToEnd } from "../lab/process.ts";
import { sampleMessages } from "../lab/sample-messages.ts";
import { StreamCollector, type StreamCollectorOptions } from "../lab/stream-collector.ts";
import { connected, sendAll } from "../lab/transport-session.ts";

const script = fileURLToPath(new URL("../unit/ipfix/stream-session.ts", import.meta.url));

let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create();
  await authority.issue("collector", { names: "IP:127.0.0.1" });
  await authority.issue("router");
});
afterAll(() => authority?.close());

const opened = closedAfterEach();

// More than the kernel buffers on both sides of a connection.
const MANY = 400_000;
const PER_MESSAGE = 1000;

/** Sends until it is done or fails; `taken` grows meanwhile. */
class Sending {
  taken = 0;
  /** Resolves with the failure, or undefined when all was taken. */
  readonly done: Promise<unknown>;

  constructor(transport: Transport, messages: readonly Uint8Array[]) {
    this.done = (async () => {
      for (const message of messages) this.taken += await sendAll(transport, [message]);
    })().catch((error: unknown) => error);
  }

  /** Waits until nothing more is taken. */
  async stalled(): Promise<void> {
    let before = 0;
    let still = 0;
    await eventually("a full socket", () => {
      still = this.taken === before && before > 0 ? still + 1 : 0;
      before = this.taken;
      return still === 40;
    });
  }
}

describe.each(["tcp", "tls"] as const)("%s", (protocol) => {
  async function collector(o: StreamCollectorOptions = {}): Promise<StreamCollector> {
    const tls = { ...authority.identity("collector"), ca: authority.cert };
    const options = protocol === "tls" ? { tls, ...o } : o;
    return opened(await StreamCollector.start(options));
  }

  const options = (port: number): object => ({
    host: "127.0.0.1",
    port,
    ...(protocol === "tls" ? { ca: authority.cert, ...authority.identity("router") } : {}),
  });

  function destination({ port }: { port: number }): Destination {
    return protocol === "tcp"
      ? tcpDestination(options(port) as never)
      : tlsDestination(options(port) as never);
  }

  async function session(there: StreamCollector): Promise<Transport> {
    const transport = opened(await connected(destination(there)));
    await there.connection("a connection", () => true);
    return transport;
  }

  it.each<["close" | "halfClose" | "reset", RegExp]>([
    ["close", /^COLLECTOR_CLOSED /],
    ["halfClose", /^COLLECTOR_CLOSED /],
    ["reset", /^ECONNRESET /],
  ])("%s is noticed while nothing is sent", async (command, expected) => {
    const there = await collector();
    const transport = await session(there);
    await there.order({ command });
    const reason = await transport.ended;
    expect(`${reason?.code} ${reason?.message}`).toMatch(expected);
    expect(reason?.message).toMatch(
      /^t(cp|ls) 127.0.0.1:\d+: .*the collector (closed|reset) the connection: look at its log$/,
    );
    await expect(transport.send(new Uint8Array(8), 0, 8, 8)).rejects.toBe(reason);
    // The next session.
    await sendAll(await session(there), sampleMessages(10).messages);
  });

  it("what the collector sends is thrown away", async () => {
    const there = await collector();
    const transport = await session(there);
    await there.order({ command: "say", text: "x".repeat(100_000) });
    const octets = await sendAll(transport, sampleMessages(10).messages);
    await there.received(octets);
    await transport.close();
    await there.connection("the end", ({ state }) => state === "ended");
  });

  it("a collector that freezes holds up nothing else, and gets everything later", async () => {
    const there = await collector();
    const transport = await session(there);
    const { messages } = sampleMessages(MANY, PER_MESSAGE);
    process.kill(there.process.pid, "SIGSTOP");
    const sending = new Sending(transport, messages);
    await sending.stalled();
    process.kill(there.process.pid, "SIGCONT");
    expect(await sending.done).toBeUndefined();
    await transport.close();
    const { file, octets } = await there.connection("the end", ({ state }) => state === "ended");
    expect(octets).toBe(sending.taken);
    const facts = messageFacts(await readFile(file));
    expect(facts).toMatchObject({ records: MANY, gaps: [], unknownSets: 0 });
  });

  it("a session with a frozen collector can be closed; what was not taken is told", async () => {
    const there = await collector();
    const transport = await session(there);
    // It reads, so it has sent all of its handshake: more would make the kernel reset what is closed.
    await sendAll(transport, sampleMessages(1, PER_MESSAGE).messages);
    await there.connection("the first messages", ({ octets }) => octets > 0);
    process.kill(there.process.pid, "SIGSTOP");
    const sending = new Sending(transport, sampleMessages(MANY, PER_MESSAGE).messages);
    await sending.stalled();
    await Promise.all([transport.close(), transport.close()]);
    expect(await sending.done).toMatchObject({ code: "EBADF" });
    await expect(transport.send(new Uint8Array(8), 0, 8, 8)).rejects.toMatchObject({
      code: "EBADF",
    });
    // The kernel goes on with what it has taken, of which nothing is lost.
    process.kill(there.process.pid, "SIGCONT");
    const { octets, state } = await there.connection("the end", ({ state }) => state !== "open");
    expect(octets, state).toBeGreaterThanOrEqual(sending.taken);
  });

  it("a slow reader gets everything, even when the session is closed meanwhile", async () => {
    const there = await collector({ receiveBuffer: 16_384 });
    const transport = await session(there);
    await there.order({ command: "slow", octets: 16_384, seconds: 0.01 });
    const { messages } = sampleMessages(60_000, PER_MESSAGE);
    const octets = await sendAll(transport, messages);
    await transport.close();
    const end = await there.connection("the end", ({ state }) => state !== "open");
    expect(end).toMatchObject({ octets, state: "ended" });
    expect(messageFacts(await readFile(end.file))).toMatchObject({ records: 60_000, gaps: [] });
  });

  it("a reset in the middle of messages is an error of those under way", async () => {
    const there = await collector({ receiveBuffer: 16_384 });
    const transport = await session(there);
    await there.order({ command: "slow", octets: 1000, seconds: 0.01 });
    const sending = new Sending(transport, sampleMessages(MANY, PER_MESSAGE).messages);
    await sending.stalled();
    await there.order({ command: "reset" });
    const reason = await transport.ended;
    expect(reason?.code).toMatch(/^(ECONNRESET|EPIPE)$/);
    expect(await sending.done).toBe(reason);
  });

  it("a collector that is killed and comes back has another session", async () => {
    const there = await collector();
    const to = destination(there);
    const transport = opened(await connected(to));
    await sendAll(transport, sampleMessages(10).messages);
    await there.close();
    expect((await transport.ended)?.code).toMatch(/^(COLLECTOR_CLOSED|ECONNRESET|EPIPE)$/);
    await expect(connected(to)).rejects.toMatchObject({ code: "COLLECTOR_UNREACHABLE" });
    const again = await collector({ port: there.port });
    const octets = await sendAll(opened(await connected(to)), sampleMessages(10).messages);
    await again.received(octets);
  });

  it("an idle session lets the process end, records on their way do not", async () => {
    const there = await collector();
    const run = (records: number): Background =>
      new Background("node", [
        ...["--import", "tsx", script],
        JSON.stringify({ protocol, options: options(there.port), records }),
      ]);
    await using idle = run(10);
    expect(await idle.ended).toEqual({ code: 0, signal: null });
    expect(idle.output).toMatch(/^connected\nsent \d+\n$/);

    await there.order({ command: "pause" });
    await using busy = run(MANY);
    await busy.until(/^connected\n/);
    // Not that of the idle session, whose end may still be on its way.
    const { port } = await there.connection("the second session", () => true, 1);
    await eventually("records under way", async () => {
      if (!busy.running) throw new Error(`it has ended: ${busy.log}`);
      const { stdout } = await runToEnd("ss", ["-tnH", "src", `127.0.0.1:${port}`]);
      return Number(stdout.split(/\s+/)[2]) > 0;
    });
    expect(busy.output).toBe("connected\n");
    await there.order({ command: "resume" });
    expect(await busy.ended).toEqual({ code: 0, signal: null });
    const octets = Number(/sent (\d+)/.exec(busy.output)?.[1]);
    const end = await there.connection("the end", ({ state }) => state !== "open", 1);
    expect(end.octets).toBe(octets);
    expect(messageFacts(await readFile(end.file)).records).toBe(MANY);
  });
});

describe("TLS to what does not speak it", () => {
  const to = ({ port }: { port: number }, connectTimeout = 10_000): Destination =>
    tlsDestination({
      ...{ host: "127.0.0.1", port, connectTimeout, ca: authority.cert },
      ...authority.identity("router"),
    });

  it("text is recognised", async () => {
    const there = opened(await StreamCollector.start());
    const attempt = connected(to(there)).catch((error: unknown) => error);
    await there.connection("a connection", () => true);
    await there.order({ command: "say", text: "220 who is there?\r\n" });
    expect(await attempt).toMatchObject({
      code: "TLS_REFUSED",
      message: expect.stringMatching(/: the collector does not speak TLS on this port \(ERR_SSL_/),
    });
  });

  it("silence is", async () => {
    const there = opened(await StreamCollector.start());
    await expect(connected(to(there, 500))).rejects.toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(/took the connection but does not answer in TLS: check/),
    });
  });

  it.each(["close", "reset"] as const)("%s is", async (command) => {
    const there = opened(await StreamCollector.start());
    const attempt = connected(to(there)).catch((error: unknown) => error);
    await there.connection("a connection", ({ octets }) => octets > 0);
    await there.order({ command });
    expect(await attempt).toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(/closed the connection in the TLS handshake: check/),
    });
  });

  it("an attempt that is given up in the handshake ends at once", async () => {
    const there = opened(await StreamCollector.start());
    const giveUp = new AbortController();
    const attempt = to(there)
      .connect(giveUp.signal)
      .catch((error: unknown) => error);
    await there.connection("a connection", ({ octets }) => octets > 0);
    giveUp.abort();
    expect(await attempt).toMatchObject({ code: "CONNECT_ABORTED" });
    await there.connection("the end", ({ state }) => state !== "open");
  });
});
