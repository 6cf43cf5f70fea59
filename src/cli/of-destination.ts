// Puts the name of a collector or file before what went wrong with it, once.

/** Errors of streams, TLS and DTLS begin with the name already, those of UDP and files do not. */
export function ofDestination(name: string, message: string): string {
  return message.startsWith(`${name}: `) ? message : `${name}: ${message}`;
}
