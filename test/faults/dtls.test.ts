// Collectors over DTLS that do not answer, close, refuse, die, freeze, or forget the session silently.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  type DtlsOptions,
  dtlsDestination,
  ElementRegistry,
  ExportingProcess,
  Template,
  type Transport,
} from "../../src/ipfix/index.ts";
import { COLLECTOR, refused, tlsLab } from "../conformance/tls-lab.ts";
import { eventually } from "../lab/eventually.ts";
import { Gate, gatedLookup } from "../lab/gated-lookup.ts";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { listeningPort } from "../lab/listening-port.ts";
import type { OpensslServer } from "../lab/openssl-server.ts";
import { Background } from "../lab/process.ts";
import { sampleMessages } from "../lab/sample-messages.ts";
import { connected, sendAll } from "../lab/transport-session.ts";
import { freeUdpPort } from "../lab/udp-port.ts";

const lab = tlsLab();
const version = "dtls1_2";

/** A collector under a name of which each look-up gives the next addresses. */
function named({ port }: { port: number }, lookups: readonly string[][], o: object): DtlsOptions {
  const left = lookups[Symbol.iterator]();
  const lookup = async (): Promise<string[]> =>
    (left.next().value as string[] | undefined) ?? new Promise(() => {});
  return { ...lab.options({ address: COLLECTOR, port }), lookup, ...o };
}

async function silent(): Promise<{ socket: Socket; address: string; port: number }> {
  const socket = lab.opened(createSocket("udp4").bind(0, "127.0.0.1"));
  await once(socket, "listening");
  return { socket, ...socket.address() };
}

async function delivered(transport: Transport, collector: OpensslServer): Promise<void> {
  const before = collector.received.length;
  const octets = await sendAll(transport, sampleMessages(10).messages);
  await eventually("messages", () => collector.received.length === before + octets);
}

function sendFails(transport: Transport): boolean {
  const [message] = sampleMessages(1).messages;
  try {
    transport.send(message!, 0, message!.length, message!.length);
    return false;
  } catch {
    return true;
  }
}

describe("a collector that does not answer", () => {
  it("is given up after connectTimeout", async () => {
    const { address, port } = await silent();
    expect(await lab.refusal({ address, port, version }, { connectTimeout: 300 })).toEqual({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(/does not answer in 300 ms \(ETIMEDOUT\): check/),
    });
  });

  it("is left alone when the attempt is given up", async () => {
    const { socket, address, port } = await silent();
    const closing = new AbortController();
    const attempt = lab.destination({ address, port, version }).connect(closing.signal);
    await once(socket, "message");
    closing.abort();
    await expect(attempt).rejects.toMatchObject({ code: "CONNECT_ABORTED" });
  });

  it("because nobody listens there is said at once", async () => {
    const to = { address: "127.0.0.1", port: await freeUdpPort("127.0.0.1"), version } as const;
    expect(await lab.refusal(to)).toEqual({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(/refuses the connection \(ECONNREFUSED\): start it/),
    });
  });

  it("does not keep another address of its name from being tried", async () => {
    const collector = await lab.server({ version, address: "127.0.0.2" });
    const both = ["127.0.0.1", "127.0.0.2"];
    const destination = dtlsDestination(named(collector, [both, both], {}));
    await delivered(lab.opened(await connected(destination)), collector);
    await collector.close();
    await expect(connected(destination)).rejects.toMatchObject({
      code: "COLLECTOR_UNREACHABLE",
      message: expect.stringMatching(
        /refuses .*\(127.0.0.1: ECONNREFUSED, 127.0.0.2: ECONNREFUSED\): start it/,
      ),
    });
  });

  it("has no name that resolves, or not in time", async () => {
    for (const lookups of [[[]], []]) {
      const options = named({ port: 4740 }, lookups, { connectTimeout: 100 });
      await expect(connected(dtlsDestination(options))).rejects.toMatchObject({
        code: "COLLECTOR_UNKNOWN",
      });
    }
  });
});

describe("the end of a session", () => {
  it("a collector that closes it is noticed while idle", async () => {
    const { cert, key } = lab.authority.identity("collector");
    const script = fileURLToPath(new URL("../lab/dtls-closer.py", import.meta.url));
    const collector = new Background("python3", [script, cert, key]);
    lab.opened({ close: () => collector.stop("SIGKILL") });
    await collector.until(/^\d+\n/);
    const port = Number.parseInt(collector.output, 10);
    const transport = await lab.session({ address: "127.0.0.1", port, version });
    collector.child.stdin!.write("\n");
    expect(await transport.ended).toMatchObject({ code: "COLLECTOR_CLOSED" });
    expect(() => transport.send(new Uint8Array(16), 0, 16, 16)).toThrowError(
      expect.objectContaining({ code: "EBADF" }),
    );
    await transport.writable();
  });

  it("a fatal alert of the collector is named", async () => {
    const { cert, key } = lab.authority.identity("collector");
    const args = ["-dtls1_2", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key];
    const collector = new Background("openssl", ["s_server", ...args]);
    lab.opened({ close: () => collector.stop("SIGKILL") });
    const port = await listeningPort(collector, "udp");
    const transport = await lab.session({ address: "127.0.0.1", port, version });
    // It is told to ask for another handshake; the exporter makes none in the same session.
    collector.child.stdin!.write("R\n");
    expect(await transport.ended).toMatchObject(
      refused(/the collector refuses \(handshake_failure\)/),
    );
  });

  it("a collector that is killed is noticed by the next messages, one that comes gets all", async () => {
    const collector = await lab.server({ version });
    const destination = lab.destination(collector);
    const transport = lab.opened(await connected(destination));
    await delivered(transport, collector);
    await collector.close();
    await eventually("the end", () => sendFails(transport));
    expect(await transport.ended).toMatchObject({
      code: "ECONNREFUSED",
      message: expect.stringMatching(/nobody listens at the collector's port any more/),
    });
    await expect(connected(destination)).rejects.toMatchObject({ code: "COLLECTOR_UNREACHABLE" });

    const again = await lab.server({ version, port: collector.port });
    await delivered(lab.opened(await connected(destination)), again);
  });

  it("the exporter's own end is told to the collector", async () => {
    const collector = await lab.server({ version, args: ["-naccept", "1"] });
    const transport = await lab.session(collector);
    await delivered(transport, collector);
    transport.close();
    transport.close();
    expect(sendFails(transport)).toBe(true);
    // It ends with its only client.
    expect(await collector.process.ended).toMatchObject({ signal: null });
  });
});

describe("sessionLifetime", () => {
  const registry = new ElementRegistry();

  it("the next session begins before the last one ends, and no record is lost between", async () => {
    const first = await lab.server({ version });
    const second = await lab.server({ version, address: "127.0.0.2", port: first.port });
    const lookups = [["127.0.0.1"], ["127.0.0.2"]];
    const options = named(first, lookups, { sessionLifetime: 300, connectTimeout: 60_000 });
    const exporter = lab.opened(
      await ExportingProcess.open({
        destination: dtlsDestination(options),
        observationDomainId: 1,
        // So that openssl keeps pace.
        maxRate: 1_000_000,
      }),
    );
    const states: string[] = [];
    const template = new Template(256, [{ element: registry.get("flowId") }]);
    let sent = 0;
    for (let after = 0; after < 20; after += exporter.counters.sessions - 1) {
      states.push(exporter.state);
      expect(await exporter.send(template, [{ flowId: sent++ }])).toMatchObject({ sent: 1 });
    }
    const ids: number[] = [];
    for (const collector of [first, second]) {
      const file = lab.authority.path(`${collector.address}.ipfix`);
      await eventually("the last record", async () => {
        await collector.receivedIn(file, 1);
        const { records, warnings } = await ipfixDump(file);
        // Each is a session of its own: templates first, sequence numbers from 0.
        expect(warnings).toEqual([]);
        const read = records.map(({ fields }) => Number(fields.flowId));
        if (collector === second && read.at(-1) !== sent - 1) return false;
        ids.push(...read);
        return true;
      });
      expect(ids.length).toBeGreaterThan(0);
    }
    expect(ids).toEqual(Array.from({ length: sent }, (_, i) => i));
    // At no time without a session, but for the moment of changing over.
    expect(states).not.toContain("waiting");
    expect(exporter.counters).toMatchObject({ sessions: 2, connectionFailures: 0 });
  });

  it("finds out that a collector has forgotten the session without a sign", async () => {
    const collector = await lab.server({ version });
    const restarted = new Gate();
    const lookup = gatedLookup(restarted, ["127.0.0.1"]);
    const destination = dtlsDestination(
      named(collector, [], { sessionLifetime: 300, connectTimeout: 60_000, lookup }),
    );
    const transport = lab.opened(await connected(destination));
    await delivered(transport, collector);
    await collector.close();
    const again = await lab.server({ version, port: collector.port });
    // Nothing was sent meanwhile: for all that the exporter knows the session goes on.
    await sendAll(transport, sampleMessages(10).messages);
    restarted.open();
    expect(await transport.ended).toBeUndefined();
    const successor = lab.opened(await connected(destination));
    transport.close();
    await delivered(successor, again);
  });

  it("does not end a session because the name does not resolve any more", async () => {
    const collector = await lab.server({ version });
    const restarted = new Gate();
    const lookup = gatedLookup(restarted, ["127.0.0.1"], []);
    const destination = dtlsDestination(
      named(collector, [], { sessionLifetime: 300, connectTimeout: 60_000, lookup }),
    );
    const transport = lab.opened(await connected(destination));
    // openssl serves one client at a time: the next session needs a server that is free.
    await collector.close();
    const again = await lab.server({ version, port: collector.port });
    restarted.open();
    expect(await transport.ended).toBeUndefined();
    const successor = lab.opened(await connected(destination));
    transport.close();
    await delivered(successor, again);
  });

  it("finds out that a collector is frozen", async () => {
    const collector = await lab.server({ version });
    const times = { sessionLifetime: 200, connectTimeout: 2000 };
    const transport = lab.opened(
      await connected(dtlsDestination({ ...lab.options(collector), ...times })),
    );
    process.kill(collector.process.pid, "SIGSTOP");
    expect(await transport.ended).toMatchObject({ code: "COLLECTOR_UNREACHABLE" });
  });

  it("ends a session that the collector would not begin any more", async () => {
    const first = await lab.server({ version });
    // It cannot use the exporter's certificate.
    const args = ["-client_sigalgs", "RSA-PSS+SHA256"];
    await lab.server({ version, address: "127.0.0.2", port: first.port, args });
    const lookups = [["127.0.0.1"], ["127.0.0.2"]];
    const options = named(first, lookups, { sessionLifetime: 300 });
    const transport = lab.opened(await connected(dtlsDestination(options)));
    expect(await transport.ended).toMatchObject(refused(/\(handshake_failure\)/));
  });

  it("a session that was to follow another is closed when nobody asks for it", async () => {
    const first = await lab.server({ version });
    const args = ["-naccept", "1"];
    const second = await lab.server({ version, address: "127.0.0.2", port: first.port, args });
    const lookups = [["127.0.0.1"], ["127.0.0.2"]];
    const destination = dtlsDestination(named(first, lookups, { sessionLifetime: 300 }));
    const transport = lab.opened(await connected(destination));
    expect(await transport.ended).toBeUndefined();
    transport.close();
    // It ends with its only client.
    expect(await second.process.ended).toMatchObject({ signal: null });
  });
});

it("what cannot be used is said at once", () => {
  const options = lab.options({ address: "127.0.0.1", port: 4740 });
  const { key } = lab.stranger.identity("router");
  const wrong: [object, string][] = [
    [{ key }, "TLS_MATERIAL_INVALID"],
    [{ ca: "/does/not/exist" }, "TLS_MATERIAL_INVALID"],
    [{ host: "" }, "DESTINATION_INVALID"],
    [{ port: 0 }, "DESTINATION_INVALID"],
    [{ connectTimeout: 0 }, "DESTINATION_INVALID"],
    [{ sessionLifetime: Number.NaN }, "DESTINATION_INVALID"],
    [{ sendBuffer: -1 }, "DESTINATION_INVALID"],
    [{ peers: [] }, "DESTINATION_INVALID"],
    [{ retry: { first: 2, most: 1 } }, "DESTINATION_INVALID"],
  ];
  for (const [o, code] of wrong) {
    expect(() => dtlsDestination({ ...options, ...o })).toThrowError(
      expect.objectContaining({ code }),
    );
  }
  expect(dtlsDestination(options).name).toBe("dtls 127.0.0.1:4740");
});
