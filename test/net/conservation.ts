// The conservation law (docs/counters.md): every DEX packet is in exactly one place.
import { expect } from "vitest";
import type { Meter } from "../../src/meter/index.ts";

/** Holds by packets and by octets; `sent`: DEX packets that passed the hooks. No traffic may run. */
export function expectConservation(meter: Meter, sent: number): void {
  const c = meter.counters();
  const flows = meter.dump();
  const table = {
    packets: flows.reduce((sum, flow) => sum + flow.packetDeltaCount, 0n),
    octets: flows.reduce((sum, flow) => sum + flow.octetDeltaCount, 0n),
  };
  expect(Number(c.dexPackets)).toBe(sent);
  expect({
    packets:
      c.exportedPackets! +
      c.droppedPackets! +
      c.flushedPackets! +
      table.packets +
      c.dexMalformed! +
      c.namespaceFiltered! +
      c.collectorPackets! +
      c.tableFull!,
    octets:
      c.exportedOctets! +
      c.droppedOctets! +
      c.flushedOctets! +
      table.octets +
      c.dexMalformedOctets! +
      c.namespaceFilteredOctets! +
      c.collectorOctets! +
      c.tableFullOctets!,
  }).toEqual({ packets: c.dexPackets, octets: c.dexOctets });
}
