// Run inside a network namespace by udp.test.ts: exports, sends what is too long, or only connects.
import {
  compileEncoder,
  ElementRegistry,
  ExportingProcess,
  openUdp,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { openUdpBatch } from "../../../src/native/udp-batch.ts";
import { destinationOf } from "./memory-transport.ts";

const [task, host, port, count] = process.argv.slice(2) as [string, string, string, string];

if (task === "export") {
  const transport = await openUdp({ host, port: Number(port), native: true });
  let waits = 0;
  const counting = {
    headerLength: transport.headerLength,
    reliable: transport.reliable,
    ended: transport.ended,
    pathMtu: () => 1500,
    send: transport.send,
    writable: () => {
      waits++;
      return transport.writable();
    },
    close: transport.close,
  };
  const layout = recordLayout({ number: 8 });
  const element = new ElementRegistry().get("flowId");
  const template = new Template(256, [{ element, source: { kind: "unsigned", field: "number" } }]);
  const session = new ExportingProcess({
    destination: destinationOf(async () => counting),
    observationDomainId: 1,
    encoders: [compileEncoder(template, layout)],
  });
  const records = Number(count);
  const numbers = BigUint64Array.from({ length: records }, (_, i) => BigInt(i));
  const offsets = Uint32Array.from({ length: records }, (_, i) => 2 * i);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const result = await session.export(numbers.buffer, offsets, records, new Uint8Array(records));
  clearInterval(timer);
  console.log(JSON.stringify({ sent: result.sent, waits, ticks, ...session.counters }));
  session.close();
} else if (task === "open") {
  const failed = openUdp({ host, port: Number(port), native: count === "native" });
  await failed.then(
    (transport) => transport.close(),
    ({ code, message }: { code: string; message: string }) =>
      console.log(JSON.stringify({ code, message })),
  );
} else {
  const family = host.includes(":") ? 6 : 4;
  const socket = openUdpBatch({ address: host, port: Number(port), family });
  const buffer = new Uint8Array(10 * 1400);
  const send = (length: number, segment: number): number | string => {
    try {
      return socket.send(buffer, 0, length, segment);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const answer = {
    pathMtu: socket.pathMtu(),
    long: send(1400, 1400),
    longBatch: send(14_000, 1400),
    short: send(12_000, 1200),
  };
  console.log(JSON.stringify(answer));
  socket.close();
}
