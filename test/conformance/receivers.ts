// One receiver for each transport of an exporting process: what came over it, as a file to decode.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type Destination,
  dtlsDestination,
  type ExportingProcess,
  fileDestination,
  tcpDestination,
  tlsDestination,
  udpDestination,
} from "../../src/ipfix/index.ts";
import { Authority } from "../lab/certificates.ts";
import { Collector } from "../lab/collector.ts";
import { temporaryFolder } from "../lab/guard.ts";
import { OpensslServer } from "../lab/openssl-server.ts";
import { StreamCollector } from "../lab/stream-collector.ts";

/** Takes one transport session. */
export interface Receiver {
  destination: Destination;
  /** Closes the exporting process; the file (RFC 5655) of all that it has sent. */
  received(exporting: ExportingProcess): Promise<string>;
  close(): Promise<void>;
}

async function udp(host: string): Promise<Receiver> {
  const collector = await Collector.start({ address: host });
  return {
    destination: udpDestination({ host, port: collector.port }),
    async received(exporting) {
      await exporting.close();
      return (await collector.sender(exporting.counters.messages)).file;
    },
    close: () => collector.close(),
  };
}

/** What came over the first connection, once that has ended. */
async function ofStream(exporting: ExportingProcess, collector: StreamCollector): Promise<string> {
  await exporting.close();
  return (await collector.connection("the end", ({ state }) => state !== "open")).file;
}

async function tcp(address: string): Promise<Receiver> {
  const collector = await StreamCollector.start({ address });
  return {
    destination: tcpDestination({ host: address, port: collector.port }),
    received: (exporting) => ofStream(exporting, collector),
    close: () => collector.close(),
  };
}

/** Certificates of a collector and a router, of one authority that both trust. */
async function identities() {
  const authority = await Authority.create();
  const identity = await authority.issue("collector", { names: "IP:127.0.0.1" });
  const own = await authority.issue("router");
  return { authority, identity, own: { ...own, ca: authority.cert } };
}

async function tls(): Promise<Receiver> {
  const { authority, identity, own } = await identities();
  const collector = await StreamCollector.start({ tls: { ...identity, ca: authority.cert } });
  return {
    destination: tlsDestination({ host: collector.address, port: collector.port, ...own }),
    received: (exporting) => ofStream(exporting, collector),
    async close() {
      await collector.close();
      await authority.close();
    },
  };
}

async function dtls(): Promise<Receiver> {
  const { authority, identity, own } = await identities();
  const version = "dtls1_2";
  const collector = await OpensslServer.start({ version, identity, ca: authority.cert });
  return {
    destination: dtlsDestination({ host: collector.address, port: collector.port, ...own }),
    async received(exporting) {
      const path = authority.path("received.ipfix");
      const file = await collector.receivedIn(path, exporting.counters.octets);
      await exporting.close();
      return file;
    },
    async close() {
      await collector.close();
      await authority.close();
    },
  };
}

async function file(): Promise<Receiver> {
  const folder = await temporaryFolder("receiver");
  return {
    destination: fileDestination({ path: join(folder.path, "flows.ipfix") }),
    async received(exporting) {
      await exporting.close();
      const finished = (await readdir(folder.path)).filter((name) => name.endsWith(".ipfix"));
      if (finished.length !== 1) throw new Error(`${finished.length} files, not one`);
      return join(folder.path, finished[0]!);
    },
    close: () => folder.remove(),
  };
}

/** By transport. */
export const RECEIVERS: readonly (readonly [name: string, start: () => Promise<Receiver>])[] = [
  ["UDP over IPv4", () => udp("127.0.0.1")],
  ["UDP over IPv6", () => udp("::1")],
  ["TCP over IPv4", () => tcp("127.0.0.1")],
  ["TCP over IPv6", () => tcp("::1")],
  ["TLS", tls],
  ["DTLS", dtls],
  ["a file", file],
];
