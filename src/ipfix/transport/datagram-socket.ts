// UDP through Node alone, for where the addon is not built: a system call a message.
import { createSocket, type Socket } from "node:dgram";
import { IoamctlError } from "../../errors.ts";
import type { Transport } from "./transport.ts";

/** What a transport over UDP does with its socket. */
export type DatagramSocket = Pick<Transport, "pathMtu" | "send" | "writable"> & { close(): void };

/** A connected socket to a numeric address. Throws what Node throws when it cannot be connected. */
export async function openDatagramSocket(peer: {
  address: string;
  port: number;
  family: 4 | 6;
  sendBuffer?: number;
}): Promise<DatagramSocket> {
  const { address, port, family, sendBuffer } = peer;
  const socket = createSocket({
    type: family === 4 ? "udp4" : "udp6",
    ...(sendBuffer === undefined ? {} : { sendBufferSize: sendBuffer }),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      // The types do not know of it, but a failure to connect comes here.
      socket.connect(port, address, (error?: Error) => {
        socket.removeListener("error", reject);
        if (error) reject(error);
        else resolve();
      });
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  return new NodeDatagramSocket(socket);
}

class NodeDatagramSocket implements DatagramSocket {
  readonly #socket: Socket;
  #failed: Error | undefined;
  #open = true;

  constructor(socket: Socket) {
    this.#socket = socket;
    // What an earlier datagram met (a refusal) comes without being asked for.
    socket.on("error", (error) => {
      this.#failed = error;
    });
    // Only the records handed over keep the process alive.
    socket.unref();
  }

  pathMtu(): undefined {
    return undefined;
  }

  async send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    messageLength: number,
  ): Promise<number> {
    this.#throwFailure();
    // One after another: a message that fails must not have later ones gone out before it.
    for (let at = 0; at < length; at += messageLength) {
      const end = Math.min(at + messageLength, length);
      try {
        await this.#sendOne(buffer.subarray(offset + at, offset + end));
      } catch (error) {
        this.#failed = error as Error;
        if (at > 0) return at;
        this.#throwFailure();
      }
    }
    return length;
  }

  async writable(): Promise<void> {}

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }

  #sendOne(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#open) return reject(new IoamctlError("EBADF", "the socket is closed"));
      this.#socket.send(message, (error) => (error ? reject(error) : resolve()));
    });
  }

  #throwFailure(): void {
    const failed = this.#failed;
    this.#failed = undefined;
    if (failed !== undefined) throw ioamctlError(failed);
  }
}

function ioamctlError(error: Error & { code?: string }): IoamctlError {
  if (error instanceof IoamctlError) return error;
  const code = error.code ?? "EIO";
  return new IoamctlError(code, `UDP socket: send failed with ${code}`, { cause: error });
}
