// Sends records through the exporting process and says what it cost; bench/go-ipfix does the same.
//
// Usage: record-sender.ts TRANSPORT HOST PORT [CA CERT KEY]. Reads lines "MODE COUNT" (MODE: of others);
// answers each with nanoseconds of CPU time.

import { createInterface } from "node:readline";
import { ExportingProcess } from "../src/ipfix/index.ts";
import { destinationOf } from "./destination.ts";
import { CLOCK_OFFSET, flowEncoder, makeRecords, RECORD_COUNT } from "./flow-records.ts";

/** Octets of a packet. */
const MTU = 1400;

const [transport, host, port, ...files] = process.argv.slice(2);
const { buffer, offsets } = makeRecords();
const kinds = new Uint8Array(RECORD_COUNT);
const session = await ExportingProcess.open({
  destination: destinationOf(transport!, host!, Number(port), files),
  observationDomainId: 1,
  encoders: [flowEncoder()],
  // Over TCP a message may be longer.
  ...(transport === "udp" && { mtu: MTU }),
});

async function send(count: number): Promise<void> {
  for (let left = count; left > 0; left -= RECORD_COUNT) {
    const { error } = await session.export(buffer, offsets, Math.min(left, RECORD_COUNT), kinds, {
      clockOffset: CLOCK_OFFSET,
    });
    if (error !== undefined) throw error;
  }
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const before = process.cpuUsage();
  await send(Number(line.split(" ")[1]));
  const { user, system } = process.cpuUsage(before);
  console.log(1000 * (user + system));
}
await session.close();
