// A relay of UDP between clients and a server, which loses or doubles what a test wants.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export interface Relayed {
  from: "client" | "server";
  /** How many came before it from that side, whichever client it was. */
  number: number;
  octets: Buffer;
}

/** How many copies go on: 0 loses it. */
export type Copies = (datagram: Relayed) => number;

export class UdpRelay {
  readonly address = "127.0.0.1";
  readonly port: number;
  /** May be changed at any time. */
  copies: Copies;
  /** Datagrams that came until now. */
  readonly seen: Record<Relayed["from"], number> = { client: 0, server: 0 };
  readonly #front: Socket;
  readonly #backs = new Map<string, Socket>();
  readonly #server: { address: string; port: number };

  private constructor(front: Socket, server: { address: string; port: number }, copies: Copies) {
    this.#front = front;
    this.#server = server;
    this.port = front.address().port;
    this.copies = copies;
    front.on("message", (octets, client) => {
      const back = this.#backOf(client);
      const { address, port } = this.#server;
      this.#pass("client", octets, () => back.send(octets, port, address));
    });
  }

  /** Listens when this returns. */
  static async start(
    server: { address: string; port: number },
    copies: Copies = () => 1,
  ): Promise<UdpRelay> {
    const front = createSocket("udp4").bind(0, "127.0.0.1");
    await once(front, "listening");
    return new UdpRelay(front, server, copies);
  }

  close(): void {
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  #backOf(client: { address: string; port: number }): Socket {
    const key = String(client.port);
    const known = this.#backs.get(key);
    if (known !== undefined) return known;
    const back = createSocket("udp4");
    back.on("message", (octets) =>
      this.#pass("server", octets, () => this.#front.send(octets, client.port, client.address)),
    );
    this.#backs.set(key, back);
    return back;
  }

  #pass(from: Relayed["from"], octets: Buffer, send: () => void): void {
    const number = this.seen[from]++;
    for (let i = this.copies({ from, number, octets }); i > 0; i--) send();
  }
}
