// IPFIX over TLS and DTLS, received by openssl with client verification on: what arrives, and when a session begins.
import { copyFile, readFile, rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ipfixDump } from "../lab/ipfixdump.ts";
import { sampleMessages } from "../lab/sample-messages.ts";
import { SlowVerdict } from "../lab/slow-verdict.ts";
import { connected, sendAll } from "../lab/transport-session.ts";
import { COLLECTOR, refused, tlsLab } from "./tls-lab.ts";

const lab = tlsLab();

describe.each(["tls1_3", "tls1_2", "dtls1_2"] as const)("%s", (version) => {
  it.each([
    ["127.0.0.1", undefined],
    ["::1", undefined],
    ["127.0.0.1", COLLECTOR],
  ])("everything arrives at %s, named %s", async (address, serverName) => {
    const collector = await lab.server({ version, address });
    const transport = await lab.session(collector, serverName === undefined ? {} : { serverName });
    // No more than openssl's receive buffer takes at once: nothing slows DTLS down.
    const { messages, records } = sampleMessages(500);
    const octets = await sendAll(transport, messages);
    const file = await collector.receivedIn(lab.authority.path(`${collector.port}.ipfix`), octets);
    await transport.close();
    const decoded = await ipfixDump(file);
    expect(decoded.warnings).toEqual([]);
    expect(decoded.records).toEqual(records);
  });

  it("several messages in one call arrive too, and from a part of a buffer", async () => {
    const collector = await lab.server({ version });
    const transport = await lab.session(collector);
    const { messages, records } = sampleMessages(100);
    const data = messages.slice(1);
    const all = Buffer.concat([Buffer.from("before"), ...data, Buffer.from("behind")]);
    await sendAll(transport, messages.slice(0, 1));
    const length = all.length - 12;
    expect(await transport.send(all, 6, length, data[0]!.length)).toBe(length);
    const octets = length + messages[0]!.length;
    const file = await collector.receivedIn(lab.authority.path(`${collector.port}.ipfix`), octets);
    expect((await ipfixDump(file)).records).toEqual(records);
  });

  it("certificates and an encrypted key may be octets in memory", async () => {
    const { cert, key } = await lab.authority.issue("memory", { passphrase: "correct horse" });
    const collector = await lab.server({ version });
    await lab.session(collector, {
      ca: await readFile(lab.authority.cert),
      cert: new Uint8Array(await readFile(cert)),
      key: await readFile(key),
      passphrase: "correct horse",
    });
  });

  it("a certificate renewed on disk is that of the next session", async () => {
    // This one the collector does not take.
    const files = await lab.authority.issue("renewed", { usage: "serverAuth" });
    const refusing = await lab.server({ version });
    const destination = lab.destination(refusing, files);
    await expect(connected(destination)).rejects.toMatchObject({ code: "TLS_REFUSED" });
    // Where s_server has refused, what it gets twice over DTLS keeps it from the next.
    await refusing.close();
    const collector = await lab.server({ version, port: refusing.port });

    await lab.authority.issue("renewed");
    const transport = lab.opened(await connected(destination));
    const octets = await sendAll(transport, sampleMessages(10).messages);
    await transport.close();
    expect(await collector.receivedIn(lab.authority.path("renewed.ipfix"), octets)).toBeDefined();

    // Half renewed: each attempt says so, and the next one that finds them whole goes on.
    await copyFile(lab.authority.identity("router").key, files.key);
    await expect(connected(destination)).rejects.toMatchObject({
      code: "TLS_MATERIAL_INVALID",
      message: expect.stringMatching(/renewed.key.* does not fit .*renewed.pem/),
    });
    await rm(files.key);
    await expect(connected(destination)).rejects.toMatchObject({
      code: "TLS_MATERIAL_INVALID",
      message: expect.stringMatching(/cannot read the private key \S+renewed.key \(ENOENT\)/),
    });
    await lab.authority.issue("renewed");
    await lab.opened(await connected(destination)).close();
  });
});

describe("TLS 1.3", () => {
  it("a refusal of a collector that sends no tickets is noticed without sending", async () => {
    const collector = await lab.server({ args: ["-num_tickets", "0"] });
    const identity = lab.stranger.identity("router");
    // From `connect`, if this machine has a second for it.
    const reason = await lab.session(collector, identity).then(
      ({ ended }) => ended,
      (error: unknown) => error,
    );
    expect(reason).toMatchObject(refused(/\(unknown_ca\)/));
  });

  it("one that comes later than a second ends the session, with its reason", async () => {
    const collector = await lab.server({ args: ["-num_tickets", "0"] });
    const slow = lab.opened(await SlowVerdict.start(collector.port));
    const transport = await lab.session(slow, lab.stranger.identity("router"));
    slow.release();
    expect(await transport.ended).toMatchObject(refused(/\(unknown_ca\)/));
    await expect(sendAll(transport, sampleMessages(1).messages)).rejects.toMatchObject(
      refused(/\(unknown_ca\)/),
    );
  });

  it("a collector that sends no tickets is accepted all the same", async () => {
    const collector = await lab.server({ args: ["-num_tickets", "0"] });
    const transport = await lab.session(collector);
    const octets = await sendAll(transport, sampleMessages(10).messages);
    await collector.receivedIn(lab.authority.path("ticketless.ipfix"), octets);
  });
});
