// Certificates for tests of TLS and DTLS, made with openssl when a test asks, never kept.
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Folder, temporaryFolder } from "./guard.ts";
import { run } from "./process.ts";

/** A certificate and its private key, each a file in PEM. */
export interface Identity {
  cert: string;
  key: string;
}

export interface IssueOptions {
  /** Kind of key: "ec" (P-256) unless told. */
  keyType?: "ec" | "rsa";
  /** subjectAltName as openssl writes it ("DNS:collector.example,IP:127.0.0.1"); none unless told. */
  names?: string;
  /** Common Name: that of the files unless told. */
  commonName?: string;
  /** Extended key usage: "serverAuth,clientAuth" unless told. */
  usage?: string;
  /** Days from now to where its validity begins and ends: -30 and 30 unless told. */
  valid?: readonly [from: number, to: number];
  /** Encrypts the key. */
  passphrase?: string;
}

const CONFIG = `
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

const NO_TIME = /[-:T]|\.\d+/g;

/** Days from now as openssl writes them: YYYYMMDDHHMMSSZ. */
function time(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().replace(NO_TIME, "");
}

/** A certification authority with a folder of its own. */
export class Authority {
  /** Its own certificate. */
  readonly cert: string;
  readonly #key: string;
  readonly #folder: Folder;

  private constructor(folder: Folder) {
    this.#folder = folder;
    this.cert = join(folder.path, "ca.pem");
    this.#key = join(folder.path, "ca.key");
  }

  static async create(): Promise<Authority> {
    const authority = new Authority(await temporaryFolder("ca"));
    try {
      await authority.#write("ca.cnf", CONFIG);
      await authority.#write("index.txt", "");
      await authority.#request("ca", { commonName: "authority of a test" });
      await authority.#sign("ca", "basicConstraints=critical,CA:TRUE", [-30, 30], ["-selfsign"]);
    } catch (error) {
      await authority.close();
      throw error;
    }
    return authority;
  }

  /**
   * A new certificate and key; under the same name they take the place of those before. To be called
   * one after another.
   */
  async issue(name: string, o: IssueOptions = {}): Promise<Identity> {
    const extensions = [
      `extendedKeyUsage=${o.usage ?? "serverAuth,clientAuth"}`,
      ...(o.names === undefined ? [] : [`subjectAltName=${o.names}`]),
    ];
    await this.#request(name, o);
    await this.#sign(name, extensions.join("\n"), o.valid ?? [-30, 30], ["-cert", "ca.pem"]);
    return this.identity(name);
  }

  /** The files of a name. */
  identity(name: string): Identity {
    return { cert: this.path(`${name}.pem`), key: this.path(`${name}.key`) };
  }

  /** A file of its folder. */
  path(file: string): string {
    return join(this.#folder.path, file);
  }

  async close(): Promise<void> {
    await this.#folder.remove();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #request(name: string, o: IssueOptions): Promise<void> {
    const kind =
      o.keyType === "rsa" ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    await this.#openssl([
      ...["req", "-new", "-newkey", ...kind, "-subj", `/CN=${o.commonName ?? name}`],
      ...(o.passphrase === undefined ? ["-noenc"] : ["-passout", `pass:${o.passphrase}`]),
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`],
    ]);
  }

  // Not `openssl x509`, which can say only since 3.4 when a certificate's time begins and ends.
  async #sign(
    name: string,
    extensions: string,
    [from, to]: readonly [number, number],
    by: string[],
  ): Promise<void> {
    await this.#write(`${name}.ext`, extensions);
    await this.#openssl([
      ...["ca", "-batch", "-notext", "-config", "ca.cnf", "-keyfile", this.#key, ...by],
      ...["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`],
      ...["-startdate", time(from), "-enddate", time(to)],
    ]);
  }

  async #openssl(args: string[]): Promise<void> {
    await run("openssl", args, { cwd: this.#folder.path });
  }

  async #write(file: string, text: string): Promise<void> {
    await writeFile(this.path(file), text);
  }
}

/** SHA-256 fingerprint of a certificate's file, as openssl prints it: "AB:CD:…". */
export async function fingerprint(file: string): Promise<string> {
  return new X509Certificate(await readFile(file)).fingerprint256;
}
