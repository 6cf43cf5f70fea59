// A flow as the meter gives it, for tests of what is printed.
import type { Flow } from "../../../src/meter/index.ts";

/** A flow with a value in every column; `undefined` takes a field away. */
export function flow(fields: { [name in keyof Flow]?: Flow[name] | undefined } = {}): Flow {
  const whole = {
    interfaceName: "eth1",
    flowDirection: "ingress",
    ingressInterface: 2,
    ioamNamespaceId: 123,
    ioamTraceType: "0xf00000",
    ioamExtensionFlags: "0xc0",
    ioamFlowId: 0xabcdef,
    sourceIPv6Address: "fd00:1::1",
    destinationIPv6Address: "fd00:2::1",
    protocolIdentifier: 17,
    sourceTransportPort: 40000,
    destinationTransportPort: 53000,
    flowLabelIPv6: 0x12345,
    ipClassOfService: 0x2c,
    packetDeltaCount: 1707n,
    octetDeltaCount: 186818n,
    flowStartMilliseconds: 1_700_000_000_000,
    flowEndMilliseconds: 1_700_000_001_000,
    ioamSequenceNumberLowest: 0,
    ioamSequenceNumberHighest: 1706,
    ioamLostPacketCount: 0n,
    ioamExpectedPacketCount: 1707n,
    ioamReorderedPacketCount: 0n,
    ioamDuplicatePacketCount: 0n,
    minimumTTL: 63,
    maximumTTL: 64,
    ...fields,
  };
  const known = Object.entries(whole).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as unknown as Flow;
}
