// Collectors by name: which address is taken, when the name is looked up again, and what follows.
import { afterEach, describe, expect, it } from "vitest";
import {
  type Destination,
  type Transport,
  type UdpDestinationOptions,
  udpDestination,
} from "../../../src/ipfix/index.ts";
import { untilAborted } from "../../../src/ipfix/transport/until-aborted.ts";
import { Collector } from "../../lab/collector.ts";
import { eventually } from "../../lab/eventually.ts";
import { run } from "../../lab/process.ts";
import { freeUdpPort } from "../../lab/udp-port.ts";

const MESSAGE = Uint8Array.of(0, 10, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1);

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

/** A name server that says what the test wants. */
class Names {
  addresses: readonly string[];
  failing = false;
  /** How often it was asked. */
  asked = 0;

  constructor(...addresses: string[]) {
    this.addresses = addresses;
  }

  readonly lookup = async (name: string): Promise<readonly string[]> => {
    expect(name).toBe("collector.example");
    this.asked++;
    if (this.failing) throw new Error("SERVFAIL");
    return this.addresses;
  };

  /** Waits until it was asked so many times more. */
  async askedAgain(times = 3): Promise<void> {
    const before = this.asked;
    await eventually("the name is looked up", () => this.asked >= before + times);
  }
}

function destination(names: Names, o: Partial<UdpDestinationOptions> = {}): Destination {
  return udpDestination({ host: "collector.example", lookup: names.lookup, ...o });
}

async function connected(to: Destination): Promise<Transport> {
  const transport = await to.connect(new AbortController().signal);
  closing.push(transport);
  return transport;
}

async function collectorAt(address: string, port?: number): Promise<Collector> {
  const collector = await Collector.start(port === undefined ? { address } : { address, port });
  closing.push(collector);
  return collector;
}

async function send(transport: Transport): Promise<void> {
  expect(await transport.send(MESSAGE, 0, MESSAGE.length, MESSAGE.length)).toBe(MESSAGE.length);
}

/** Whether the session has ended, and how. */
function state(transport: Transport): Promise<unknown> {
  return Promise.race([transport.ended, Promise.resolve("goes on")]);
}

describe.each([true, false])("a name, addon %s", (native) => {
  it("that gets another address ends the session, and the next goes there", async () => {
    const first = await collectorAt("127.0.0.1");
    const second = await collectorAt("127.0.0.2", first.port);
    const names = new Names("127.0.0.1");
    const to = destination(names, { port: first.port, resolveInterval: 10, native });
    const before = await connected(to);
    await send(before);
    expect((await first.sender(1)).datagrams).toBe(1);
    names.addresses = ["127.0.0.2"];
    expect(await before.ended).toBeUndefined();
    const after = await connected(to);
    await send(after);
    expect((await second.sender(1)).datagrams).toBe(1);
    expect((await first.sender(1)).datagrams).toBe(1);
  });

  it("that keeps the address among others keeps the session", async () => {
    const names = new Names("127.0.0.1");
    const transport = await connected(destination(names, { resolveInterval: 10, native }));
    names.addresses = ["127.0.0.3", "127.0.0.1"];
    await names.askedAgain();
    expect(await state(transport)).toBe("goes on");
  });

  it("that does not resolve any more keeps the session", async () => {
    const collector = await collectorAt("127.0.0.1");
    const names = new Names("127.0.0.1");
    const o = { port: collector.port, resolveInterval: 10, native };
    const transport = await connected(destination(names, o));
    names.failing = true;
    await names.askedAgain();
    names.failing = false;
    names.addresses = [];
    await names.askedAgain();
    expect(await state(transport)).toBe("goes on");
    await send(transport);
    await collector.sender(1);
  });

  it("is looked up early when the host refuses; the session goes on", async () => {
    const port = await freeUdpPort("127.0.0.1");
    const names = new Names("127.0.0.1");
    const to = destination(names, { port, resolveInterval: 3_600_000, native });
    const transport = await connected(to);
    const refused = async (): Promise<boolean> => {
      // A refusal tells of an earlier datagram: one that goes through is an answer, too.
      const result = await Promise.resolve()
        .then(() => send(transport))
        .catch(({ code }: { code: string }) => code);
      return result === "ECONNREFUSED";
    };
    await eventually("a look-up", async () => (await refused()) && names.asked > 1);
    expect(await state(transport)).toBe("goes on");
    const asked = names.asked;
    for (let refusals = 0; refusals < 20; ) {
      await eventually("a refusal", refused);
      refusals++;
    }
    // Every third refusal would be six more; this is seldom, however slow the machine.
    expect(names.asked).toBeLessThan(asked + 3);
    const collector = await collectorAt("127.0.0.1", port);
    await refused();
    await send(transport);
    await collector.sender(1);
  });

  it("that has moved from a host that refuses ends the session at once", async () => {
    const port = await freeUdpPort("127.0.0.1");
    const names = new Names("127.0.0.1");
    const to = destination(names, { port, resolveInterval: 3_600_000, native });
    const transport = await connected(to);
    names.addresses = ["127.0.0.2"];
    let ended = false;
    void transport.ended.then(() => {
      ended = true;
    });
    await eventually("its end", async () => {
      await Promise.resolve()
        .then(() => send(transport))
        .catch(() => undefined);
      return ended;
    });
    expect(await transport.ended).toBeUndefined();
  });

  it("is not looked up any more when the session is closed", async () => {
    const closed = new Names("127.0.0.1");
    const open = new Names("127.0.0.1");
    const transport = await connected(destination(closed, { resolveInterval: 10, native }));
    await connected(destination(open, { resolveInterval: 10, native }));
    await closed.askedAgain();
    transport.close();
    transport.close();
    const { asked } = closed;
    await open.askedAgain(5);
    expect(closed.asked).toBe(asked);
    expect(await state(transport)).toBe("goes on");
  });

  it("has its addresses tried one after another", async () => {
    const collector = await collectorAt("127.0.0.1");
    const names = new Names("fe80::1%no-such-if", "127.0.0.1");
    const transport = await connected(destination(names, { port: collector.port, native }));
    expect(transport.headerLength).toBe(28);
    await send(transport);
    await collector.sender(1);
  });
});

describe("connecting", () => {
  const { signal } = new AbortController();

  it("rejects when the name does not resolve, and when no address can be reached", async () => {
    const names = new Names();
    const unknown = { code: "COLLECTOR_UNKNOWN" };
    await expect(destination(names).connect(signal)).rejects.toMatchObject(unknown);
    names.failing = true;
    await expect(destination(names).connect(signal)).rejects.toMatchObject(unknown);
    const lost = new Names("fe80::1%no-such-if", "fe80::2%no-such-if");
    const unreachable = { code: "COLLECTOR_UNREACHABLE" };
    await expect(destination(lost).connect(signal)).rejects.toMatchObject(unreachable);
  });

  it("can be broken off while the name is being looked up", async () => {
    const aborting = new AbortController();
    const lookup = (): Promise<never> => new Promise(() => {});
    const attempt = udpDestination({ host: "slow.example", lookup }).connect(aborting.signal);
    const reason = new Error("enough");
    aborting.abort(reason);
    await expect(attempt).rejects.toBe(reason);
  });

  it("resolves names as the host does", async () => {
    const transport = await connected(udpDestination({ host: "localhost" }));
    expect([28, 48]).toContain(transport.headerLength);
  });

  it("does not keep the process alive", async () => {
    const library = new URL("../../../src/ipfix/index.ts", import.meta.url).href;
    const code = `
      import { udpDestination } from ${JSON.stringify(library)};
      const to = udpDestination({ host: "name", lookup: async () => ["127.0.0.1"] });
      await to.connect(new AbortController().signal);
      console.log("connected");`;
    const args = ["--import", "tsx", "--input-type=module", "-e", code];
    expect((await run("node", args)).stdout).toBe("connected\n");
  });
});

describe("what is given back too late", () => {
  it("is discarded", async () => {
    const aborting = new AbortController();
    let give: (value: string) => void = () => {};
    const promise = new Promise<string>((resolve) => {
      give = resolve;
    });
    const discarded: string[] = [];
    const attempt = untilAborted(promise, aborting.signal, (late) => discarded.push(late));
    aborting.abort(new Error("enough"));
    await expect(attempt).rejects.toThrow("enough");
    give("late");
    await eventually("it is discarded", () => discarded.length > 0);
    expect(discarded).toEqual(["late"]);
  });

  it("is nothing when it came in time, or failed", async () => {
    const { signal } = new AbortController();
    const discard = (): never => expect.unreachable();
    expect(await untilAborted(Promise.resolve(1), signal, discard)).toBe(1);
    const failing = Promise.reject(new Error("no"));
    await expect(untilAborted(failing, signal, discard)).rejects.toThrow("no");
    const late = untilAborted(Promise.reject(new Error("no")), AbortSignal.abort(), discard);
    await expect(late).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("options", () => {
  it("name the destination", () => {
    expect(udpDestination({ host: "2001:db8::1" })).toMatchObject({
      name: "udp [2001:db8::1]:4739",
      retry: { first: 10_000, most: 60_000 },
    });
    const retry = { first: 5, most: 5 };
    expect(udpDestination({ host: "collector.example", port: 9995, retry })).toMatchObject({
      name: "udp collector.example:9995",
      retry,
    });
  });

  it.each([
    [{ host: "" }, "host"],
    [{ host: "a b" }, "host"],
    [{ port: 0 }, "port"],
    [{ port: 65_536 }, "port"],
    [{ port: 1.5 }, "port"],
    [{ sendBuffer: 0 }, "sendBuffer"],
    [{ resolveInterval: 0 }, "resolveInterval"],
    [{ resolveInterval: 2 ** 31 }, "resolveInterval"],
    [{ retry: { first: 0, most: 1 } }, "retry.first"],
    [{ retry: { first: 2, most: 1 } }, "retry.first"],
    [{ retry: { first: 1, most: Number.NaN } }, "retry.most"],
  ] as [Partial<UdpDestinationOptions>, string][])("that cannot be used: %o", (o, named) => {
    expect(() => udpDestination({ host: "::1", ...o })).toThrowError(
      expect.objectContaining({
        code: "DESTINATION_INVALID",
        message: expect.stringContaining(named),
      }),
    );
  });
});
