// --collector: where to export to, with the transport before it or without.
import { InvalidArgumentError, Option } from "commander";
import { ENDPOINT_FORMS, formatEndpoint, parseEndpoint } from "../agent/config/endpoint.ts";

/** A collector as the configuration's `collectors` has it. */
export interface CollectorOption {
  readonly transport: "udp" | "tcp";
  /** ADDRESS:PORT. */
  readonly address: string;
}

/** `--collector [tcp://|udp://]ADDRESS:PORT`. */
export function collectorOption(): Option {
  return new Option(
    "--collector <address:port>",
    "where to export to, by UDP, or tcp://ADDRESS:PORT",
  ).argParser(parseCollector);
}

/** Throws InvalidArgumentError. */
export function parseCollector(text: string): CollectorOption {
  const [, transport = "udp", rest] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(text)!;
  if (transport === "tls" || transport === "dtls") {
    throw new InvalidArgumentError(
      `${transport} needs certificates: name them in a configuration (-c CONFIG).`,
    );
  }
  const address = parseEndpoint(rest!);
  if ((transport !== "udp" && transport !== "tcp") || address === undefined) {
    throw new InvalidArgumentError(
      `Give ${ENDPOINT_FORMS}, with tcp:// or udp:// before it or not.`,
    );
  }
  return { transport, address: formatEndpoint(address) };
}
