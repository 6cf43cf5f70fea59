// Stands before the receiver of the benchmarks: takes TLS from an exporter, with its certificate, and hands on what is in it.
//
// Usage: tls-terminator.ts CA CERT KEY PORT. Prints its port; ends when standard input does.

import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";

const [ca, cert, key, port] = process.argv.slice(2);
const credentials = {
  ca: readFileSync(ca!),
  cert: readFileSync(cert!),
  key: readFileSync(key!),
};
const server = createServer({ ...credentials, requestCert: true }, (exporter) => {
  exporter.pipe(connect(Number(port), "127.0.0.1"));
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.on("end", () => process.exit()).resume();
