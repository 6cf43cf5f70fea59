// What an exporting process shows and trusts in TLS: CA certificates, its certificate, its key.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { IoamctlError } from "../../errors.ts";

/** Each a file's path, or the octets themselves; all in PEM. */
export interface TlsCredentials {
  /** Certificates of the authorities that may have issued the collector's. */
  ca: string | Uint8Array;
  /** The exporter's certificate, behind it those between it and its authority. */
  cert: string | Uint8Array;
  /** The private key of the exporter's certificate. */
  key: string | Uint8Array;
  /** Of an encrypted key. */
  passphrase?: string;
}

/** The same, read and checked, in PEM; the key without its passphrase. */
export interface TlsMaterial {
  ca: string;
  cert: string;
  key: string;
}

const PARTS = ["ca", "cert", "key"] as const;
type Part = (typeof PARTS)[number];

const WHAT: Readonly<Record<Part, string>> = {
  ca: "the CA certificates",
  cert: "the certificate",
  key: "the private key",
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Reads and checks, all at once. Throws TLS_MATERIAL_INVALID, with `name` before its message, when
 * something is missing, cannot be read, is no PEM, has expired or does not fit together. `clock`
 * false lets a certificate pass that is not valid yet: a host's clock may be set later.
 */
export function readTlsMaterialSync(
  name: string,
  credentials: TlsCredentials,
  { clock = true }: { clock?: boolean } = {},
): TlsMaterial {
  const read = PARTS.map((part) => {
    const from = source(name, part, credentials[part]);
    if (typeof from !== "string") return text(from);
    try {
      return text(readFileSync(from));
    } catch (cause) {
      throw unreadable(name, part, from, cause);
    }
  });
  return checked(name, credentials, read, clock);
}

/** The same without keeping the event loop waiting. */
export async function readTlsMaterial(
  name: string,
  credentials: TlsCredentials,
): Promise<TlsMaterial> {
  const read = PARTS.map(async (part) => {
    const from = source(name, part, credentials[part]);
    if (typeof from !== "string") return text(from);
    return text(
      await readFile(from).catch((cause: unknown) => {
        throw unreadable(name, part, from, cause);
      }),
    );
  });
  return checked(name, credentials, await Promise.all(read), true);
}

function source(name: string, part: Part, from: unknown): string | Uint8Array {
  if (from instanceof Uint8Array) return from;
  if (typeof from !== "string" || from === "") {
    throw invalid(name, `${WHAT[part]} (${part}) is missing: give a file's path or its octets`);
  }
  // Such a string must not go into a message about a file that is not there: it may be a key.
  if (from.includes("\n") || from.includes("-----BEGIN")) {
    throw invalid(
      name,
      `${part} is a string of PEM: give its octets (Buffer.from), or a file's path`,
    );
  }
  return from;
}

function text(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString("latin1");
}

function checked(
  name: string,
  credentials: TlsCredentials,
  [ca, cert, key]: readonly string[],
  clock: boolean,
): TlsMaterial {
  const label = (part: Part): string => {
    const from = credentials[part];
    return `${WHAT[part]} (${typeof from === "string" ? from : part})`;
  };
  const authorities = certificates(name, label("ca"), ca);
  if (authorities.every(hasExpired)) {
    throw invalid(name, `${label("ca")} expired on ${authorities[0].validTo}: get new ones`);
  }
  const chain = certificates(name, label("cert"), cert);
  const [own] = chain;
  if (hasExpired(own)) {
    throw invalid(name, `${label("cert")} expired on ${own.validTo}: renew it`);
  }
  if (clock && Date.parse(own.validFrom) > Date.now()) {
    throw invalid(
      name,
      `${label("cert")} is not valid before ${own.validFrom}: check this host's clock`,
    );
  }
  const privateKey = keyOf(name, label("key"), key, credentials.passphrase);
  if (!own.checkPrivateKey(privateKey)) {
    throw invalid(
      name,
      `${label("key")} does not fit ${label("cert")}: give the key of its first certificate`,
    );
  }
  return {
    ca: authorities.map(String).join(""),
    cert: chain.map(String).join(""),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function certificates(name: string, label: string, pem: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw invalid(name, `${label}: no certificate in it: it has to be PEM, "BEGIN CERTIFICATE"`);
  }
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    throw invalid(name, `${label}: a certificate in it is damaged: write it anew`, cause);
  }
}

function hasExpired(certificate: X509Certificate): boolean {
  return Date.parse(certificate.validTo) < Date.now();
}

function keyOf(
  name: string,
  label: string,
  pem: string,
  passphrase: string | undefined,
): KeyObject {
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    let why = 'no private key in it: it has to be PEM, "BEGIN PRIVATE KEY"';
    if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
      why =
        passphrase === undefined
          ? "it is encrypted: give its passphrase"
          : "the passphrase does not fit";
    }
    throw invalid(name, `${label}: ${why}`, cause);
  }
}

function unreadable(name: string, part: Part, path: string, cause: unknown): IoamctlError {
  const { code = "EIO" } = cause as { code?: string };
  return invalid(name, `cannot read ${WHAT[part]} ${path} (${code}): check path and rights`, cause);
}

function invalid(name: string, why: string, cause?: unknown): IoamctlError {
  return new IoamctlError("TLS_MATERIAL_INVALID", `${name}: ${why}`, { cause });
}
