// What a configuration may say of a collector.
import { isIP } from "node:net";
import type { z } from "zod";
import type { CollectorConfig, CollectorTransport, TlsConfig } from "./agent-config.ts";
import { ENDPOINT_FORMS, type Endpoint, parseEndpoint } from "./endpoint.ts";
import { parseBitRate } from "./quantity.ts";
import {
  choice,
  duration,
  existingFile,
  list,
  mapping,
  parsed,
  text,
  wholeNumber,
} from "./schema-parts.ts";

/** RFC 7011 section 10.4.4: a TCP connection is tried again at most once a minute by default. */
const STREAM_RECONNECT = 60_000;
const DATAGRAM_RECONNECT = 10_000;
const TEMPLATE_REFRESH = 600_000;
const CONNECT_TIMEOUT = 10_000;

const RATE_ERROR = "give a rate of at least 1bit/s, with its unit, such as 100Mbit/s";

/** An entry of `collectors`; paths are relative to `folder`. */
export function collectorSchema(folder: string): z.ZodType<CollectorConfig> {
  return mapping({
    address: parsed<Endpoint>(parseEndpoint, `give ${ENDPOINT_FORMS}`),
    transport: choice(["udp", "tcp", "tls", "dtls"]).default("udp"),
    templateRefresh: duration(1000, "1s to 1d").optional(),
    mtu: wholeNumber(512, 65_535).optional(),
    maxRate: parsed(parseBitRate, RATE_ERROR).optional(),
    connectTimeout: duration(100, "100ms to 1d").optional(),
    reconnect: duration(100, "100ms to 1d").optional(),
    tls: tlsSchema(folder).optional(),
  })
    .superRefine(({ transport, tls, templateRefresh, connectTimeout }, context) => {
      const add = (key: string, message: string): void =>
        context.addIssue({ code: "custom", path: [key], message });
      if (isSecured(transport) && tls === undefined) {
        add("tls", `${transport} needs it: give a mapping with: ca, cert, key`);
      }
      if (!isSecured(transport) && tls !== undefined) {
        add("tls", `${transport} has none: leave it out, or give tls or dtls as transport`);
      }
      if (isStream(transport) && templateRefresh !== undefined) {
        add("templateRefresh", `${transport} sends templates once a session: leave it out`);
      }
      if (transport === "udp" && connectTimeout !== undefined) {
        add("connectTimeout", "udp has no connection to wait for: leave it out");
      }
    })
    .transform(({ reconnect, ...rest }) => ({
      ...rest,
      templateRefresh: rest.templateRefresh ?? TEMPLATE_REFRESH,
      connectTimeout: rest.connectTimeout ?? CONNECT_TIMEOUT,
      reconnect: reconnect ?? (isStream(rest.transport) ? STREAM_RECONNECT : DATAGRAM_RECONNECT),
    }));
}

const NAME_ERROR = "give the name or address in the collector's certificate";
const PEER_ERROR =
  "give a name or address in a collector's certificate, or the certificate's SHA-256 fingerprint";

function isNameOrAddress(text: string): boolean {
  return isIP(text) !== 0 || /^[^\s:%/]+$/.test(text);
}

/** In hexadecimal digits, with colons between the octets or without. */
function isFingerprint(text: string): boolean {
  return /^[0-9a-f]{64}$/i.test(text.replaceAll(":", ""));
}

function tlsSchema(folder: string): z.ZodType<TlsConfig> {
  return mapping({
    ca: existingFile(folder),
    cert: existingFile(folder),
    key: existingFile(folder),
    passphrase: text("give the passphrase of the key").optional(),
    serverName: text(NAME_ERROR).refine(isNameOrAddress, { error: NAME_ERROR }).optional(),
    peers: list(
      text(PEER_ERROR).refine((peer) => isNameOrAddress(peer) || isFingerprint(peer), {
        error: PEER_ERROR,
      }),
      "names, addresses or fingerprints",
    )
      .min(1, { error: "give at least one, or leave it out" })
      .optional(),
  });
}

function isSecured(transport: CollectorTransport): boolean {
  return transport === "tls" || transport === "dtls";
}

function isStream(transport: CollectorTransport): boolean {
  return transport === "tcp" || transport === "tls";
}
