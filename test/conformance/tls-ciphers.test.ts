// Which cipher suites IPFIX over TLS and DTLS takes: those that are mandatory, and none without encryption.
import { expect, it } from "vitest";
import { eventually } from "../lab/eventually.ts";
import { sampleMessages } from "../lab/sample-messages.ts";
import { sendAll } from "../lab/transport-session.ts";
import { NAMES, refused, tlsLab } from "./tls-lab.ts";

const lab = tlsLab();

// RFC 5246 section 9 and RFC 8446 section 9.1.
it.each([
  ["tls1_2", "TLS_RSA_WITH_AES_128_CBC_SHA", ["-cipher", "AES128-SHA"]],
  ["dtls1_2", "TLS_RSA_WITH_AES_128_CBC_SHA", ["-cipher", "AES128-SHA"]],
  ["tls1_3", "TLS_AES_128_GCM_SHA256", ["-ciphersuites", "TLS_AES_128_GCM_SHA256"]],
] as const)("%s: %s, which is mandatory, is taken", async (version, _name, args) => {
  await lab.authority.issue("rsa", { keyType: "rsa", names: NAMES });
  const collector = await lab.server({ version, is: "rsa", args: [...args] });
  const transport = await lab.session(collector);
  const octets = await sendAll(transport, sampleMessages(100).messages);
  await eventually("all has arrived", () => collector.received.length === octets);
});

it.each(["tls1_2", "dtls1_2"] as const)(
  "%s: a collector that does not encrypt is refused",
  async (version) => {
    await lab.authority.issue("rsa", { keyType: "rsa", names: NAMES });
    const args = ["-cipher", "NULL-SHA256:ECDHE-RSA-NULL-SHA:@SECLEVEL=0"];
    const collector = await lab.server({ version, is: "rsa", args });
    expect(await lab.refusal(collector)).toEqual(refused(/./));
    await eventually("the reason", () => /no shared cipher/.test(collector.log));
  },
);
