// Collectors in a configuration: what each transport takes, the files of TLS.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentConfig } from "../../../src/agent/config/agent-config.ts";
import { ConfigError } from "../../../src/agent/config/checked-yaml.ts";
import { loadConfig, parseConfig } from "../../../src/agent/config/load-config.ts";
import { type Folder, temporaryFolder } from "../../lab/guard.ts";

const HEAD = "interfaces: [{ name: eth1 }]\ncollectors:\n";
const FINGERPRINT = Array.from({ length: 32 }, () => "A9").join(":");
const FILES = "ca: ca.pem, cert: tls/router.pem, key: tls/router.key";

let folder: Folder;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder("config");
  file = join(folder.path, "agent.yaml");
  mkdirSync(join(folder.path, "tls"));
  for (const name of ["ca.pem", "tls/router.pem", "tls/router.key"]) {
    writeFileSync(join(folder.path, name), "");
  }
});
afterAll(() => folder.remove());

const parse = (collector: string): AgentConfig["collectors"] =>
  parseConfig(`${HEAD}  - { address: "c.example:4740", ${collector} }\n`, file).collectors;

/** The first mistake; FOLDER stands for the configuration's. */
function mistake(collector: string): string {
  try {
    parse(collector);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes[0]!.replaceAll(folder.path, "FOLDER");
    throw error;
  }
  return "none";
}

describe("a collector", () => {
  it.each(["tls", "dtls"])("is reached by %s with files beside the configuration", (transport) => {
    const all = `${FILES}, passphrase: secret, serverName: c, peers: [a.example, "2001:db8::1", "${FINGERPRINT}"]`;
    expect(parse(`transport: ${transport}, tls: { ${all} }`)).toEqual([
      {
        address: { host: "c.example", port: 4740 },
        transport,
        templateRefresh: 600_000,
        connectTimeout: 10_000,
        reconnect: transport === "tls" ? 60_000 : 10_000,
        tls: {
          ca: join(folder.path, "ca.pem"),
          cert: join(folder.path, "tls/router.pem"),
          key: join(folder.path, "tls/router.key"),
          passphrase: "secret",
          serverName: "c",
          peers: ["a.example", "2001:db8::1", FINGERPRINT],
        },
      },
    ]);
  });

  it("may have absolute paths", () => {
    const [collector] = parse(
      `transport: tls, tls: { ca: ${join(folder.path, "ca.pem")}, cert: ../${folder.path.split("/").at(-1)}/ca.pem, key: ca.pem }`,
    );
    const path = join(folder.path, "ca.pem");
    expect(collector!.tls).toMatchObject({ ca: path, cert: path, key: path });
  });

  it.each([
    ["udp", 10_000],
    ["tcp", 60_000],
  ])("is tried again over %s after %i ms unless told", (transport, milliseconds) => {
    expect(parse(`transport: ${transport}`)[0]!.reconnect).toBe(milliseconds);
    expect(parse(`transport: ${transport}, reconnect: 5s`)[0]!.reconnect).toBe(5000);
  });

  it("has its files beside a configuration that is given by a relative path", () => {
    writeFileSync(file, `${HEAD}  - { address: "c:1", transport: tls, tls: { ${FILES} } }\n`);
    const before = process.cwd();
    process.chdir(join(folder.path, "tls"));
    try {
      const [collector] = loadConfig("../agent.yaml").collectors;
      expect(collector!.tls!.key).toBe(join(folder.path, "tls/router.key"));
    } finally {
      process.chdir(before);
    }
  });
});

/** Where it is: at the mark ^, or without one at the collector itself. */
const COLUMN_OF_COLLECTOR = 5;
const COLUMN_OF_REST = `  - { address: "c.example:4740", `.length + 1;

describe("a mistake in a collector is told where it is", () => {
  it.each([
    ["transport: ^sctp", 'collectors[0].transport is "sctp": give udp or tcp or tls or dtls'],
    [
      "transport: tls",
      "collectors[0] has no tls: tls needs it: give a mapping with: ca, cert, key",
    ],
    ["transport: dtls, tls: ^{}", "collectors[0].tls has no ca: give the path of a file"],
    [`transport: tcp, tls: ^{ ${FILES} }`, "collectors[0].tls: tcp has none: leave it out"],
    [`tls: ^{ ${FILES} }`, "collectors[0].tls: udp has none: leave it out"],
    [
      "transport: tcp, templateRefresh: ^1m",
      'collectors[0].templateRefresh is "1m": tcp sends templates once a session: leave it out',
    ],
    [
      `transport: tls, tls: { ${FILES}, ^password: x }`,
      "unknown key password in collectors[0].tls: known here: ca, cert, key, passphrase,",
    ],
    [
      "transport: tls, tls: { ca: ^ca.pen, cert: ca.pem, key: ca.pem }",
      'collectors[0].tls.ca is "ca.pen": there is no file FOLDER/ca.pen: paths are relative to',
    ],
    [
      "transport: tls, tls: { ca: ^tls, cert: ca.pem, key: ca.pem }",
      'collectors[0].tls.ca is "tls": FOLDER/tls is not a file',
    ],
    [
      `transport: tls, tls: { ${FILES}, peers: ^[] }`,
      "collectors[0].tls.peers: give at least one, or leave it out",
    ],
    [
      `transport: tls, tls: { ${FILES}, peers: [a, ^""] }`,
      'collectors[0].tls.peers[1] is "": give a name',
    ],
    [
      `transport: tls, tls: { ${FILES}, serverName: ^"a b" }`,
      'collectors[0].tls.serverName is "a b": give the name or address in the collector',
    ],
    [
      `transport: tls, tls: { ${FILES}, peers: [^"A9:B8"] }`,
      'collectors[0].tls.peers[0] is "A9:B8": give a name or address in a collector',
    ],
    [
      "connectTimeout: ^5s",
      'collectors[0].connectTimeout is "5s": udp has no connection to wait for: leave it out',
    ],
    ["connectTimeout: ^0s", 'collectors[0].connectTimeout is "0s": give a duration from 100ms'],
    ["reconnect: ^5", 'collectors[0].reconnect is "5": give a duration from 100ms to 1d'],
  ])("%s", (marked, expected) => {
    const mark = marked.indexOf("^");
    const column = mark < 0 ? COLUMN_OF_COLLECTOR : COLUMN_OF_REST + mark;
    const found = mistake(marked.replace("^", ""));
    expect(found).toContain(`agent.yaml:3:${column}: ${expected}`);
  });
});
