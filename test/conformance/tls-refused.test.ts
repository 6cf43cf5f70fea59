// TLS and DTLS: each reason for which exporter or collector refuses the other, with openssl as the collector.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:tls";
import { describe, expect, it } from "vitest";
import { explainTls } from "../../src/ipfix/transport/tls-failure.ts";
import { fingerprint, type IssueOptions } from "../lab/certificates.ts";
import { COLLECTOR, NAMES, refused, tlsLab } from "./tls-lab.ts";

const lab = tlsLab();

describe.each(["tls1_3", "tls1_2", "dtls1_2"] as const)("%s", (version) => {
  it("a certificate of another authority is refused by the exporter", async () => {
    const collector = await lab.server({ version, of: lab.stranger });
    expect(await lab.refusal(collector)).toEqual(refused(/is not from an authority in ca/));
    expect(collector.received).toHaveLength(0);
  });

  it("that is so whatever the environment allows", async () => {
    const collector = await lab.server({ version, of: lab.stranger });
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await lab.refusal(collector)).toEqual(refused(/is not from an authority in ca/));
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  it.each<[string, [number, number], RegExp]>([
    ["has expired", [-20, -1], /collector's certificate has expired/],
    ["is not valid yet", [1, 20], /collector's certificate is not valid yet/],
  ])("a certificate of the collector that %s is refused by the exporter", async (_, valid, why) => {
    await lab.authority.issue("untimely", { names: NAMES, valid });
    const collector = await lab.server({ version, is: "untimely" });
    expect(await lab.refusal(collector)).toEqual(refused(why));
  });

  it("a certificate that is not for servers is refused by the exporter", async () => {
    await lab.authority.issue("client", { names: NAMES, usage: "clientAuth" });
    const collector = await lab.server({ version, is: "client" });
    expect(await lab.refusal(collector)).toEqual(refused(/is not one for servers.* serverAuth/));
  });

  it.each<[string, RegExp]>([
    ["other.example", /certificate is for DNS:collector.example, .*, not for other.example/],
    ["router.collector.example", /not for router.collector.example/],
    ["127.0.0.3", /not for 127.0.0.3/],
  ])("a collector that is not %s is refused by the exporter", async (serverName, message) => {
    const collector = await lab.server({ version });
    expect(await lab.refusal(collector, { serverName })).toEqual(refused(message));
    expect(collector.received).toHaveLength(0);
  });

  it("an address that the certificate lacks is refused", async () => {
    await lab.authority.issue("nameonly", { names: `DNS:${COLLECTOR}` });
    const collector = await lab.server({ version, is: "nameonly" });
    expect(await lab.refusal(collector)).toEqual(refused(/not for 127.0.0.1: give the name in it/));
    await lab.session(collector, { serverName: COLLECTOR });
  });

  it("a wildcard stands for the first label, and for no entry of peers", async () => {
    await lab.authority.issue("wildcard", { names: "DNS:*.flows.example" });
    const collector = await lab.server({ version, is: "wildcard" });
    const serverName = "one.flows.example";
    await (await lab.session(collector, { serverName })).close();
    for (const other of ["flows.example", "a.one.flows.example"]) {
      expect(await lab.refusal(collector, { serverName: other })).toEqual(
        refused(/ is for DNS:\*.flows.example, not for /),
      );
    }
    expect(await lab.refusal(collector, { serverName, peers: [serverName] })).toEqual(
      refused(/is not among peers/),
    );
  });

  it("a Common Name counts where there is no DNS name", async () => {
    const commonName = "old.example";
    await lab.authority.issue("nameless", { commonName });
    const nameless = await lab.server({ version, is: "nameless" });
    await (await lab.session(nameless, { serverName: commonName })).close();
    await lab.authority.issue("named", { commonName, names: "DNS:new.example" });
    const named = await lab.server({ version, is: "named" });
    expect(await lab.refusal(named, { serverName: commonName })).toEqual(
      refused(/is for DNS:new.example, not for old.example/),
    );
  });

  // The collector's word on the exporter's certificate.
  it.each<[string, IssueOptions | "stranger", RegExp]>([
    ["of another authority", "stranger", /\(unknown_ca\): it does not know the authority/],
    ["for servers only", { usage: "serverAuth" }, /\(unsupported_certificate\): .* clientAuth/],
  ])("an exporter's certificate %s is refused by the collector", async (_, issue, message) => {
    const identity =
      issue === "stranger"
        ? lab.stranger.identity("router")
        : await lab.authority.issue("refused", { ...issue });
    for (let i = 0; i < 3; i++) {
      // One each: where s_server has refused, what it gets twice over DTLS keeps it from the next.
      const collector = await lab.server({ version });
      expect(await lab.refusal(collector, identity)).toEqual(refused(message));
      expect(collector.received).toHaveLength(0);
    }
  });

  it("an exporter whose certificate the collector cannot use shows none, and is refused", async () => {
    const collector = await lab.server({ version, args: ["-client_sigalgs", "RSA-PSS+SHA256"] });
    const message =
      version === "tls1_3"
        ? /\(certificate_required\): it got no/
        : /\(handshake_failure\): either/;
    expect(await lab.refusal(collector)).toEqual(refused(message));
    expect(collector.received).toHaveLength(0);
  });

  it("peers: the collector has to be in the list", async () => {
    const collector = await lab.server({ version });
    const own = await fingerprint(lab.authority.identity("collector").cert);
    const other = await fingerprint(lab.authority.identity("router").cert);
    for (const peers of [
      [COLLECTOR],
      ["other.example", "COLLECTOR.example"],
      [own],
      [other, own.replaceAll(":", "").toLowerCase()],
      ["127.0.0.1"],
      // Its Common Name.
      ["collector"],
    ]) {
      await (await lab.session(collector, { peers })).close();
    }
    for (const peers of [["other.example"], ["example"], [other], ["127.0.0.3"]]) {
      expect(await lab.refusal(collector, { peers })).toEqual(refused(/is not among peers/));
    }
    // Being in the list is not enough.
    expect(await lab.refusal(collector, { peers: [own], serverName: "other.example" })).toEqual(
      refused(/not for other.example/),
    );
  });
});

describe.each(["tls1_3", "tls1_2"] as const)("%s", (version) => {
  // A destination shows no certificate that has expired by its own clock, and never none.
  it.each<[string, string | undefined, RegExp]>([
    ["an expired certificate", "old", /\(certificate_expired\): .* renew cert/],
    ["no certificate", undefined, /\((certificate_required|handshake_failure)\): /],
  ])("what the collector says to %s is understood", async (_, shown, message) => {
    const { cert, key } = await lab.authority.issue("old", { valid: [-20, -1] });
    const { port } = await lab.server({ version });
    const socket = connect({
      ...{ port, host: "127.0.0.1", ca: await readFile(lab.authority.cert) },
      ...(shown === undefined ? {} : { cert: await readFile(cert), key: await readFile(key) }),
    });
    socket.resume();
    const [error] = (await once(socket, "error")) as [Error];
    expect(explainTls("tls")(error)).toMatchObject(refused(message));
  });
});

describe("versions", () => {
  it("a collector of TLS 1.1 is refused", async () => {
    const collector = await lab.server({ version: "tls1_1" });
    expect(await lab.refusal(collector)).toEqual(
      refused(/\(protocol_version\): it speaks neither TLS 1.2 nor 1.3/),
    );
  });

  it("a collector of DTLS 1.0 is refused", async () => {
    const collector = await lab.server({ version: "dtls1" });
    // Nor has it a cipher of DTLS 1.2, which is what it says.
    expect(await lab.refusal(collector)).toEqual(refused(/\(handshake_failure\): .* no cipher/));
  });
});
