// A relay before a TLS 1.3 server that keeps back what it says about its client's certificate.
import { once } from "node:events";
import {
  type AddressInfo,
  connect as connectTcp,
  createServer,
  type Server,
  type Socket,
} from "node:net";

/** Passes everything on but what the server says after the client's certificate. */
export class SlowVerdict {
  readonly address = "127.0.0.1";
  readonly port: number;
  readonly #relay: Server;
  readonly #held: { client: Socket; data: Buffer }[] = [];
  #hold = true;

  private constructor(relay: Server, to: number) {
    this.port = (relay.address() as AddressInfo).port;
    this.#relay = relay;
    relay.on("connection", (client) => {
      const server = connectTcp(to, this.address);
      let flights = 0;
      client.on("data", (data) => {
        flights++;
        server.write(data);
      });
      server.on("data", (data) => {
        if (flights > 1 && this.#hold) this.#held.push({ client, data });
        else client.write(data);
      });
      for (const one of [client, server]) {
        one.on("error", () => {});
        one.on("close", () => {
          if (!this.#hold) client.destroySoon();
        });
      }
    });
  }

  static async start(to: number): Promise<SlowVerdict> {
    const relay = createServer().listen(0, "127.0.0.1");
    await once(relay, "listening");
    return new SlowVerdict(relay, to);
  }

  release(): void {
    this.#hold = false;
    for (const { client, data } of this.#held) client.write(data);
  }

  close(): void {
    this.#relay.close();
  }
}
