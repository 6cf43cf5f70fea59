// Run inside a network namespace: exports as many numbered records as each line of its input says.
import { createInterface } from "node:readline";
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  openUdp,
  recordLayout,
  Template,
} from "../../src/ipfix/index.ts";

const [host, port] = process.argv.slice(2) as [string, string];
const transport = await openUdp({ host, port: Number(port), native: true });
const element = new ElementRegistry().get("flowId");
const template = new Template(256, [{ element, source: { kind: "unsigned", field: "number" } }]);
const session = new ExportingProcess({
  destination: {
    name: "collector",
    connect: async () => transport,
    retry: { first: 1000, most: 1000 },
  },
  observationDomainId: 1,
  encoders: [compileEncoder(template, recordLayout({ number: 8 }))],
});
console.log(JSON.stringify({ pathMtu: transport.pathMtu() }));

let next = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const count = Number(line);
  const first = next;
  const numbers = BigUint64Array.from({ length: count }, () => BigInt(next++));
  const offsets = Uint32Array.from({ length: count }, (_, i) => 2 * i);
  const { sent, dropped, error } = await session.export(
    numbers.buffer,
    offsets,
    count,
    new Uint8Array(count),
  );
  const answer = { first, sent, dropped: dropped.length, error: error?.code };
  console.log(JSON.stringify({ ...answer, pathMtu: transport.pathMtu() }));
}
session.close();
