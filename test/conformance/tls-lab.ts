// A test's authorities, collectors of openssl that demand a certificate, and sessions with them.
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import {
  type Destination,
  type DtlsOptions,
  dtlsDestination,
  type TlsOptions,
  type Transport,
  tlsDestination,
} from "../../src/ipfix/index.ts";
import { Authority } from "../lab/certificates.ts";
import { OpensslServer, type Version } from "../lab/openssl-server.ts";
import { connected } from "../lab/transport-session.ts";

export const COLLECTOR = "collector.example";
export const NAMES = `DNS:${COLLECTOR},IP:127.0.0.1,IP:127.0.0.2,IP:::1`;

interface Address {
  address: string;
  port: number;
  /** DTLS or TLS; TLS unless told. */
  version?: Version;
}

/** What TLS and DTLS have in common. */
type Options = TlsOptions & DtlsOptions;

export interface CollectorOptions {
  /** TLS 1.3 unless told. */
  version?: Version;
  /** Name of its certificate: "collector" unless told. */
  is?: string;
  /** Whose certificate that is: the authority's unless told. */
  of?: Authority;
  /** 127.0.0.1 unless told. */
  address?: string;
  /** Any free one unless told. */
  port?: number;
  /** More arguments of `openssl s_server`. */
  args?: string[];
}

export class TlsLab {
  /** Has issued "collector" and "router", and is trusted by both. */
  authority!: Authority;
  /** Has issued the same, and nobody trusts it. */
  stranger!: Authority;
  readonly #closing: { close(): unknown }[] = [];

  async start(): Promise<void> {
    [this.authority, this.stranger] = await Promise.all([Authority.create(), Authority.create()]);
    for (const one of [this.authority, this.stranger]) {
      await one.issue("collector", { names: NAMES });
      await one.issue("router", { names: "DNS:router.example" });
    }
  }

  async close(): Promise<void> {
    await this.authority?.close();
    await this.stranger?.close();
  }

  /** Closes at the end of the test. */
  opened<T extends { close(): unknown }>(one: T): T {
    this.#closing.push(one);
    return one;
  }

  async endTest(): Promise<void> {
    for (const one of this.#closing.splice(0).reverse()) await one.close();
  }

  async server(o: CollectorOptions = {}): Promise<OpensslServer> {
    return this.opened(
      await OpensslServer.start({
        version: o.version ?? "tls1_3",
        identity: (o.of ?? this.authority).identity(o.is ?? "collector"),
        ca: this.authority.cert,
        address: o.address ?? "127.0.0.1",
        port: o.port ?? 0,
        args: o.args ?? [],
      }),
    );
  }

  /** Of a destination, as the router. */
  options({ address: host, port }: Address, o: Partial<Options> = {}): Options {
    const { authority } = this;
    return { host, port, ca: authority.cert, ...authority.identity("router"), ...o };
  }

  destination(to: Address, o: Partial<Options> = {}): Destination {
    const options = this.options(to, o);
    return isDtls(to) ? dtlsDestination(options) : tlsDestination(options);
  }

  async session(to: Address, o: Partial<Options> = {}): Promise<Transport> {
    return this.opened(await connected(this.destination(to, o)));
  }

  /** What an attempt is refused with. */
  async refusal(to: Address, o: Partial<Options> = {}): Promise<{ code: string; message: string }> {
    const { code, message } = await this.session(to, o).then(
      () => {
        throw new Error("the session was not refused");
      },
      (error: Error & { code: string }) => error,
    );
    expect(message).not.toContain("\n");
    const protocol = isDtls(to) ? "dtls" : "tls";
    expect(message).toMatch(new RegExp(`^${protocol} \\S*:${to.port}: `));
    return { code, message };
  }
}

function isDtls({ version }: Address): boolean {
  return version?.startsWith("dtls") === true;
}

/** One for the tests of a file. */
export function tlsLab(): TlsLab {
  const lab = new TlsLab();
  beforeAll(() => lab.start());
  afterEach(() => lab.endTest());
  afterAll(() => lab.close());
  return lab;
}

export const refused = (message: RegExp): object => ({
  code: "TLS_REFUSED",
  message: expect.stringMatching(message),
});
