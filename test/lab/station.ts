// Sends single packets and captures what arrives, through one Python process in a namespace.
import { fileURLToPath } from "node:url";
import { Dialogue } from "./dialogue.ts";
import type { Netns } from "./netns.ts";
import { hex, unhex } from "./octets.ts";
import type { Offload } from "./offload.ts";

const SCRIPT = fileURLToPath(new URL("station.py", import.meta.url));

/** An address and a port of it. */
export interface Endpoint {
  address: string;
  port: number;
}

export interface SocketTraffic {
  source: Endpoint;
  destination: Endpoint;
  /** The Hop-by-Hop header that the socket puts into every packet; see hopByHop(). */
  options?: Uint8Array;
}

/** Frames that arrived at an interface, tags where the wire had them. */
export class Capture {
  readonly #station: Station;
  readonly #interface: string;

  constructor(station: Station, device: string) {
    this.#station = station;
    this.#interface = device;
  }

  /**
   * The next `count` frames, those alone that contain the octets given; fewer if `timeout` ms pass
   * without another. Each frame is given once.
   */
  async take(
    count: number,
    o: { timeout?: number; contains?: Uint8Array } = {},
  ): Promise<Uint8Array[]> {
    const frames = await this.#station.command<string[]>("take", {
      interface: this.#interface,
      count,
      timeout: (o.timeout ?? 5000) / 1000,
      contains: hex(o.contains ?? new Uint8Array(0)),
    });
    return frames.map(unhex);
  }

  async close(): Promise<void> {
    await this.#station.command("stop_capture", { interface: this.#interface });
  }
}

export class Station {
  readonly #netns: Netns;
  readonly #dialogue: Dialogue;

  constructor(netns: Netns) {
    this.#netns = netns;
    this.#dialogue = new Dialogue(netns.start("python3", ["-u", SCRIPT]));
  }

  /** One command of station.py after another; the answer, or an error with what it says. */
  async command<T = void>(name: string, args: Record<string, unknown>): Promise<T> {
    const answer = await this.#dialogue.ask(JSON.stringify([name, args]));
    const { ok, error } = JSON.parse(answer) as { ok: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return ok;
  }

  /** Sends frames out of a device, each exactly once; its peer sees them at tc ingress. */
  async send(device: string, ...frames: Uint8Array[]): Promise<void> {
    await this.command("send", { interface: device, frames: frames.map(hex) });
  }

  /**
   * Sends one frame with what a device would be asked to do to it: see offload.ts. A frame above
   * 4096 octets keeps only `headerLength` octets (14 at least) linear; its headers are in pages.
   */
  async sendOffload(device: string, frame: Uint8Array, offload: Offload): Promise<void> {
    const { headerLength, gso, checksum } = offload;
    const header = [
      checksum === undefined ? 0 : 1,
      gso === undefined ? 0 : { tcp6: 4, udp: 5 }[gso.type],
      headerLength,
      gso?.size ?? 0,
      checksum?.start ?? 0,
      checksum?.offset ?? 0,
    ];
    await this.command("send_offload", { interface: device, frame: hex(frame), header });
  }

  /** Makes a tun device: no link layer. It is gone with the station. */
  async openTun(name: string): Promise<void> {
    await this.command("open_tun", { name });
    await this.#netns.ip(`link set ${name} multicast off`, `link set ${name} up`);
  }

  /** IP packets that come in by a tun device of this station, each exactly once. */
  async sendTun(name: string, ...packets: Uint8Array[]): Promise<void> {
    await this.command("send_tun", { name, packets: packets.map(hex) });
  }

  /** Captures what comes in by a device from now on. */
  async capture(device: string): Promise<Capture> {
    await this.command("capture", { interface: device });
    return new Capture(this, device);
  }

  /**
   * Sends `count` times `size` octets by a UDP socket; with `segment` each as one GSO packet of
   * datagrams of that size (UDP_SEGMENT).
   */
  async sendUdp(
    o: SocketTraffic & { size: number; count?: number; segment?: number },
  ): Promise<void> {
    await this.command("send_udp", {
      ...socketArguments(o),
      size: o.size,
      count: o.count ?? 1,
      segment: o.segment ?? 0,
    });
  }

  /** Accepts TCP connections and reads all they send. */
  async acceptTcp(at: Endpoint): Promise<void> {
    await this.command("accept_tcp", { ...at });
  }

  /** Octets read on that port so far. */
  receivedTcp(port: number): Promise<number> {
    return this.command<number>("received_tcp", { port });
  }

  /** Connects and sends `size` octets in bulk: GSO packets where the device can segment. */
  async sendTcp(o: SocketTraffic & { size: number }): Promise<void> {
    await this.command("send_tcp", { ...socketArguments(o), size: o.size });
  }

  async close(): Promise<void> {
    await this.#dialogue.process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function socketArguments(o: SocketTraffic): Record<string, unknown> {
  return {
    source: [o.source.address, o.source.port],
    destination: [o.destination.address, o.destination.port],
    options: hex(o.options ?? new Uint8Array(0)),
  };
}

/** A station in a namespace; it ends with the namespace at the latest. */
export function station(netns: Netns): Station {
  return new Station(netns);
}
