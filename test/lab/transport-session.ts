// A transport session of a destination, used without an exporting process.
import type { Destination, Transport } from "../../src/ipfix/index.ts";

/** Connects; nobody gives up. */
export function connected(destination: Destination): Promise<Transport> {
  return destination.connect(new AbortController().signal);
}

/** Sends messages of one length (the last may be shorter) in as many calls as that takes. */
export async function sendAll(
  transport: Transport,
  messages: readonly Uint8Array[],
): Promise<number> {
  let octets = 0;
  for (const message of messages) {
    octets += message.length;
    for (let at = 0; at < message.length; ) {
      const taken = await transport.send(message, at, message.length - at, message.length);
      if (taken === 0) await transport.writable();
      at += taken;
    }
  }
  return octets;
}
