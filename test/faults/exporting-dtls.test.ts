// An exporting process whose collector over DTLS fails: nothing stalls, every record is accounted for.
import { expect, it } from "vitest";
import type { Destination } from "../../src/ipfix/index.ts";
import { dtlsDestination } from "../../src/ipfix/index.ts";
import { COLLECTOR, tlsLab } from "../conformance/tls-lab.ts";
import { eventually } from "../lab/eventually.ts";
import { Gate, gatedLookup } from "../lab/gated-lookup.ts";
import type { OpensslServer } from "../lab/openssl-server.ts";
import { NumberedExport, receivedNumbers } from "./numbered-export.ts";

const version = "dtls1_2";

/** Few enough that openssl's receive buffer takes them at once. */
const BATCH = 200;

const lab = tlsLab();

const to = ({ address, port }: OpensslServer, more: object = {}): Destination =>
  dtlsDestination({
    host: address,
    port,
    ca: lab.authority.cert,
    ...lab.authority.identity("router"),
    retry: { first: 20, most: 100 },
    ...more,
  });

function exportTo(destination: Destination): NumberedExport {
  const numbered = new NumberedExport(destination);
  lab.opened(numbered.process);
  return numbered;
}

/** Hands over a batch, and waits until its last record has arrived. */
async function deliver(numbered: NumberedExport, collector: OpensslServer): Promise<void> {
  await numbered.hand(BATCH);
  await eventually("the last record", () => {
    return receivedNumbers([collector.received]).at(-1) === numbered.handed - 1;
  });
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

it("a collector that is killed and restarted gets a session that stands by itself", async () => {
  const first = await lab.server({ version });
  const healthy = await lab.server({ version });
  const failing = exportTo(to(first));
  const other = exportTo(to(healthy));
  for (let i = 0; i < 5; i++) {
    await Promise.all([deliver(failing, first), deliver(other, healthy)]);
  }
  expect(receivedNumbers([first.received])).toEqual(range(0, failing.handed));
  await first.close();
  await eventually("the loss is noticed", async () => {
    await Promise.all([failing.hand(BATCH, 20), deliver(other, healthy)]);
    return failing.process.state !== "connected";
  });
  expect(await failing.hand(BATCH, 20)).toMatchObject({ sent: 0 });
  const second = await lab.server({ version, port: first.port });
  const from = failing.handed;
  for (let i = 0; i < 5; i++) {
    await Promise.all([deliver(failing, second), deliver(other, healthy)]);
  }
  // Also what was under way when the first one was killed may come, but nothing twice.
  const late = receivedNumbers([second.received]);
  expect(late.slice(-5 * BATCH)).toEqual(range(from, failing.handed));
  expect(new Set(late).size).toBe(late.length);
  expect(failing.process.counters.sessions).toBe(2);
  const { droppedRecords } = await failing.close();
  expect(droppedRecords).toBeGreaterThanOrEqual(BATCH);
  await other.close();
  expect(receivedNumbers([healthy.received])).toEqual(range(0, other.handed));
});

it("a collector that is frozen stalls nobody, and is found out when the session is renewed", async () => {
  const frozen = await lab.server({ version });
  const healthy = await lab.server({ version });
  // openssl serves one client at a time: the next session must not begin before it is frozen.
  const gate = new Gate();
  const lookup = gatedLookup(gate, [frozen.address]);
  const times = { sessionLifetime: 300, connectTimeout: 2000 };
  const failing = exportTo(to(frozen, { host: COLLECTOR, lookup, ...times }));
  const other = exportTo(to(healthy));
  await Promise.all([deliver(failing, frozen), deliver(other, healthy)]);
  frozen.process.child.kill("SIGSTOP");
  gate.open();
  await eventually("it is found out", async () => {
    await Promise.all([failing.hand(BATCH, 50), deliver(other, healthy)]);
    return failing.process.counters.connectionFailures > 0;
  });
  expect(await failing.hand(BATCH, 20)).toMatchObject({ sent: 0 });
  const { droppedRecords } = await failing.close();
  expect(droppedRecords).toBeGreaterThanOrEqual(BATCH);
  await other.close();
  expect(receivedNumbers([healthy.received])).toEqual(range(0, other.handed));
});
