// Half a million random, mutated and cut packets: always "next", nothing changed, every count accounted for.
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomNumbers } from "../lab/random.ts";
import { INNER6 } from "../lab/samples.ts";
import { wireCases } from "../lab/wire-cases.ts";
import { UnpinnedMeter } from "./unpinned-meter.ts";

const PROGRAMS = ["ioam_ingress", "ioam_egress", "ioam_ingress_l3", "ioam_egress_l3"];
const SEEDS = wireCases()
  .map(({ octets }) => octets)
  .filter((octets) => octets.length >= 54);

let meter: UnpinnedMeter;
beforeAll(() => {
  meter = new UnpinnedMeter({ maxFlows: 20_000 });
  // Of the tunnels', so that both ways are taken.
  meter.setExportDestinations([{ address: INNER6.destination, port: 53_000, protocol: "udp" }]);
});
afterAll(() => meter.close());

function mutate(octets: Uint8Array, random: (below: number) => number): Uint8Array {
  const mutated = octets.slice();
  // Where the headers are, more often than not.
  const span = random(4) === 0 ? mutated.length : Math.min(mutated.length, 120);
  for (let changes = 1 + random(6); changes > 0; changes--)
    mutated[12 + random(span - 12)] = random(256);
  if (random(5) === 0) return mutated.subarray(0, 14 + random(mutated.length - 13));
  return mutated;
}

function randomOctets(random: (below: number) => number): Uint8Array {
  const octets = new Uint8Array(54 + random(200));
  for (let i = 0; i < octets.length; i++) octets[i] = random(256);
  if (random(2) === 0) octets.set([0x86, 0xdd, 0x60], 12);
  if (random(2) === 0) octets[20] = [0, 60, 43, 44, 51][random(5)]!;
  return octets;
}

/** Runs a packet; false when the kernel does not take it for a packet at all. */
function pass(octets: Uint8Array, program: string): boolean {
  let result: ReturnType<UnpinnedMeter["run"]>;
  try {
    result = meter.run(octets, program);
  } catch (error) {
    // An IPv4 or IPv6 type, and fewer octets than that header has.
    expect((error as { code: string }).code).toBe("TEST_RUN_FAILED");
    expect(octets.length).toBeLessThan(54);
    return false;
  }
  if (result.retval !== -1 || Buffer.compare(result.dataOut, octets) !== 0) {
    throw new Error(
      `${program} answers ${result.retval} to ${Buffer.from(octets).toString("hex")}`,
    );
  }
  return true;
}

/** The conservation law: every DEX packet is in the table or in a named counter. */
function expectConserved(): void {
  const c = meter.counters();
  const flows = meter.flows();
  const sum = (of: "packetDeltaCount" | "octetDeltaCount"): bigint =>
    flows.reduce((total, flow) => total + flow[of], 0n);
  expect(c.dexPackets).toBe(
    c.dexMalformed! +
      c.namespaceFiltered! +
      c.collectorPackets! +
      c.tableFull! +
      sum("packetDeltaCount"),
  );
  expect(c.dexOctets).toBe(
    c.dexMalformedOctets! +
      c.namespaceFilteredOctets! +
      c.collectorOctets! +
      c.tableFullOctets! +
      sum("octetDeltaCount"),
  );
}

test("500 000 random and mutated packets", () => {
  const random = randomNumbers(0x10a11);
  const before = meter.counters();
  let passed = 0;
  for (let i = 0; i < 500_000; i++) {
    const octets =
      i % 5 === 0 ? randomOctets(random) : mutate(SEEDS[random(SEEDS.length)]!, random);
    if (pass(octets, PROGRAMS[i & 3]!)) passed++;
  }
  const after = meter.counters();
  expect(after.packets! - before.packets!).toBe(BigInt(passed));
  expect(passed).toBeGreaterThan(450_000);
  // The mutations do reach every branch that counts something.
  const names = ["dexMalformed", "optionsMalformed", "ioamOther", "ioamTrace", "collectorPackets"];
  for (const name of [...names, "tableFull"]) {
    expect(after[name]! > before[name]!, name).toBe(true);
  }
  expectConserved();
});

test("every valid packet cut off at every length", () => {
  meter.clear();
  for (const octets of SEEDS) {
    for (let length = 14; length <= octets.length; length++) {
      for (const program of PROGRAMS) pass(octets.subarray(0, length), program);
    }
  }
});
