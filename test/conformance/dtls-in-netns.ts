// Run inside a network namespace by dtls.test.ts: sends messages as long as the path takes, and longer.
import { type DtlsOptions, dtlsDestination } from "../../src/ipfix/index.ts";
import { connected } from "../lab/transport-session.ts";

export type DtlsInNetnsTask = DtlsOptions;

export interface DtlsInNetnsResult {
  headerLength: number;
  pathMtu: number | undefined;
  /** Octets of ten messages of full length that were taken. */
  taken: number;
  /** What one more octet fails with. */
  tooLong: string | undefined;
}

const transport = await connected(dtlsDestination(JSON.parse(process.argv[2]!) as DtlsInNetnsTask));
const { headerLength } = transport;
const pathMtu = transport.pathMtu();
const length = pathMtu! - headerLength;
const buffer = new Uint8Array(10 * length + 1);
const taken = await transport.send(buffer, 0, 10 * length, length);
let tooLong: string | undefined;
try {
  await transport.send(buffer, 0, length + 1, length + 1);
} catch (error) {
  tooLong = (error as { code: string }).code;
}
console.log(JSON.stringify({ headerLength, pathMtu, taken, tooLong }));
await transport.close();
