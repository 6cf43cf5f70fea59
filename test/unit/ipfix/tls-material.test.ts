// What a TLS destination shows, trusts and expects: refused at once when it cannot be used.
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TlsOptions, tlsDestination } from "../../../src/ipfix/index.ts";
import { Authority, type Identity } from "../../lab/certificates.ts";
import { connected } from "../../lab/transport-session.ts";

let authority: Authority;
let router: Identity;
let base: TlsOptions;
const SECRET = "correct horse battery";

beforeAll(async () => {
  authority = await Authority.create();
  router = await authority.issue("router");
  base = { host: "collector.example", ca: authority.cert, ...router };
});
afterAll(() => authority?.close());

/** The error of a destination that cannot be; it tells nothing secret, in one line. */
function refusal(options: object): { code: string; message: string } {
  try {
    tlsDestination({ ...base, ...options });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(message).not.toMatch(/\n|BEGIN [A-Z ]*KEY-----\w|correct horse|MII|MHc/);
    expect(message).toMatch(/^tls collector.example:4740: /);
    return { code, message };
  }
  throw new Error("the options were not refused");
}

const unusable = (message: RegExp): object => ({
  code: "TLS_MATERIAL_INVALID",
  message: expect.stringMatching(message),
});

describe("certificates and key", () => {
  it("that can be used are taken", () => {
    expect(tlsDestination(base)).toMatchObject({
      name: "tls collector.example:4740",
      retry: { first: 60_000, most: 600_000 },
    });
  });

  it.each(["ca", "cert", "key"] as const)("%s has to be there", (part) => {
    expect(refusal({ [part]: undefined })).toEqual(
      unusable(new RegExp(`\\(${part}\\) is missing`)),
    );
    expect(refusal({ [part]: "" })).toEqual(unusable(/is missing/));
    const path = authority.path("no-such-file.pem");
    expect(refusal({ [part]: path })).toEqual(
      unusable(/cannot read the .* \S*no-such-file.pem \(ENOENT\): check/),
    );
    expect(refusal({ [part]: authority.path("") })).toEqual(unusable(/\(EISDIR\)/));
    expect(refusal({ [part]: Buffer.from("nothing") })).toEqual(unusable(/PEM/));
    expect(refusal({ [part]: new Uint8Array(0) })).toEqual(unusable(/PEM/));
  });

  it("PEM in a string is taken neither for a path nor into a message", async () => {
    for (const part of ["ca", "cert", "key"] as const) {
      const text = await readFile(base[part] as string, "utf8");
      expect(refusal({ [part]: text })).toEqual(unusable(/is a string of PEM: give its octets/));
      expect(refusal({ [part]: text.replaceAll("\n", "\\n") })).toEqual(unusable(/string of PEM/));
    }
  });

  it("a damaged certificate is named", async () => {
    const text = await readFile(router.cert, "latin1");
    const damaged = Buffer.from(text.replace(/\n[A-Za-z0-9]/, "\n!"));
    expect(refusal({ cert: damaged })).toEqual(unusable(/certificate \(cert\).* is damaged/));
    expect(refusal({ ca: damaged })).toEqual(unusable(/CA certificates \(ca\).* is damaged/));
  });

  it("a key has to fit", async () => {
    const other = await authority.issue("other");
    expect(refusal({ key: other.key })).toEqual(unusable(/other.key\) does not fit .*router.pem/));
    expect(refusal({ key: router.cert })).toEqual(unusable(/router.pem\): no private key in it/));
    expect(refusal({ cert: router.key })).toEqual(unusable(/router.key\): no certificate in it/));
  });

  it("an encrypted key needs its passphrase", async () => {
    const { cert, key } = await authority.issue("encrypted", { passphrase: SECRET });
    expect(refusal({ cert, key })).toEqual(unusable(/it is encrypted: give its passphrase/));
    expect(refusal({ cert, key, passphrase: `${SECRET}!` })).toEqual(
      unusable(/the passphrase does not fit/),
    );
    tlsDestination({ ...base, cert, key, passphrase: SECRET });
  });

  it("an RSA key and a chain of certificates do too", async () => {
    const { cert, key } = await authority.issue("rsa", { keyType: "rsa" });
    const chain = Buffer.concat([await readFile(cert), await readFile(authority.cert)]);
    tlsDestination({ ...base, cert: chain, key });
  });

  it("what has expired is refused", async () => {
    const expired = await authority.issue("expired", { valid: [-20, -1] });
    expect(refusal(expired)).toEqual(unusable(/expired.pem\) expired on .* GMT: renew it/));
    const ca = await readFile(expired.cert);
    expect(refusal({ ca })).toEqual(unusable(/the CA certificates \(ca\) expired on/));
    tlsDestination({ ...base, ca: Buffer.concat([ca, await readFile(authority.cert)]) });
  });

  it("what is not valid yet fails attempts, until the clock is set", async () => {
    const future = await authority.issue("future", { valid: [1, 2] });
    await expect(connected(tlsDestination({ ...base, ...future }))).rejects.toMatchObject(
      unusable(/future.pem\) is not valid before .* GMT: check this host's clock/),
    );
  });

  it("files are read again by each attempt", async () => {
    const destination = tlsDestination(base);
    await rename(router.key, `${router.key}.old`);
    await expect(connected(destination)).rejects.toMatchObject(unusable(/\(ENOENT\)/));
    await writeFile(router.key, "");
    await chmod(router.key, 0o600);
    await expect(connected(destination)).rejects.toMatchObject(unusable(/no private key/));
    await rename(`${router.key}.old`, router.key);
    await expect(connected(destination)).rejects.toMatchObject({ code: "COLLECTOR_UNKNOWN" });
  });
});

describe("who the collector has to be", () => {
  const impossible = (message: RegExp): object => ({
    code: "DESTINATION_INVALID",
    message: expect.stringMatching(message),
  });

  it.each(["", "collector example", "collector.example:4740", "[::1]"])(
    "serverName %o is refused",
    (serverName) => {
      expect(refusal({ serverName })).toEqual(
        impossible(/serverName ".*" is neither name nor address/),
      );
    },
  );

  it("peers are names, addresses and fingerprints", () => {
    const digits = "0123456789abcdef".repeat(4);
    const colons = digits.match(/../g)!.join(":");
    const peers = ["collector.example", "Collector 1", "192.0.2.1", "fe80::1%eth0", digits, colons];
    tlsDestination({ ...base, peers });
    expect(refusal({ peers: [] })).toEqual(impossible(/peers is an empty list/));
    expect(refusal({ peers: "collector.example" })).toEqual(impossible(/peers is/));
    for (const peer of ["", colons.slice(3), "sha256:12", 7]) {
      expect(refusal({ peers: [peer] })).toEqual(impossible(/in peers is neither a name nor/));
    }
  });
});
