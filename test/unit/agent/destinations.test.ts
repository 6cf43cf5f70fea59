// From a collector or a file of the configuration to its destination: which one, how often it is tried.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CollectorConfig } from "../../../src/agent/config/agent-config.ts";
import { parseConfig } from "../../../src/agent/config/load-config.ts";
import {
  collectorDestination,
  collectorSettings,
  outputDestination,
} from "../../../src/agent/sinks/destinations.ts";
import { ExportingProcess } from "../../../src/ipfix/index.ts";
import { Authority, type Identity } from "../../lab/certificates.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";
import { MemoryTransport } from "../ipfix/memory-transport.ts";

let folder: Folder;
let authority: Authority;
let router: Identity;
beforeAll(async () => {
  folder = await temporaryFolder("destinations");
  authority = await Authority.create();
  router = await authority.issue("router", { passphrase: "secret" });
});
afterAll(async () => {
  await authority.close();
  await folder.remove();
});

function collector(yaml: string): CollectorConfig {
  const text = `interfaces: [{ name: a }]\ncollectors: [{ address: "[2001:db8::1]:4739", ${yaml} }]\n`;
  return parseConfig(text, join(folder.path, "agent.yaml")).collectors[0]!;
}

const tls = (more = "passphrase: secret"): string =>
  `tls: { ca: ${authority.cert}, cert: ${router.cert}, key: ${router.key}, ${more} }`;

describe("a collector", () => {
  it.each(["udp", "tcp", "tls", "dtls"])("over %s", (transport) => {
    const secured = transport.endsWith("tls") ? `, ${tls()}` : "";
    const made = collectorDestination(
      collector(`transport: ${transport}, reconnect: 5s${secured}`),
    );
    expect(made.name).toBe(`${transport} [2001:db8::1]:4739`);
    expect(made.retry).toEqual({ first: 5000, most: 5000 });
  });

  it.each(["tls", "dtls"])("over %s needs certificates that can be used", (transport) => {
    const wrong = collector(`transport: ${transport}, ${tls("passphrase: wrong")}`);
    expect(() => collectorDestination(wrong)).toThrowError(
      expect.objectContaining({ code: "TLS_MATERIAL_INVALID" }),
    );
  });
});

it.each([
  "templateRefresh: 1s, mtu: 512, maxRate: 1bit/s",
  "templateRefresh: 1500ms, mtu: 65535, maxRate: 1000000Gbit/s",
  "templateRefresh: 1d",
])("settings, as a configuration may have them: %s", async (yaml) => {
  const process = await ExportingProcess.open({
    ...collectorSettings(collector(yaml)),
    destination: new MemoryTransport().destination,
    observationDomainId: 1,
  });
  await process.close();
});

it("files, as small as a configuration may have them", () => {
  const yaml =
    "interfaces: [{ name: a }]\noutputs: [{ file: { path: f.ipfix, maxSize: 1MiB, keep: 3 } }]\n";
  const { file } = parseConfig(yaml, join(folder.path, "agent.yaml")).outputs[0]!;
  expect(outputDestination(file!).name).toBe(`file ${join(folder.path, "f.ipfix")}`);
  expect(() => outputDestination({ ...file!, maxSize: file!.maxSize! - 1 })).toThrow(/maxOctets/);
});
