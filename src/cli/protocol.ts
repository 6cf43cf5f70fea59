// Names of the transport protocols that people write and read.

/** By name; the first name of a number is the one that is printed. IANA's protocol numbers. */
const NUMBERS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmp6: 58,
  icmpv6: 58,
  "ipv6-icmp": 58,
  none: 59,
  ospf: 89,
  pim: 103,
  vrrp: 112,
  l2tp: 115,
  sctp: 132,
  udplite: 136,
  mpls: 137,
};

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(NUMBERS)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** Names that `protocolNumber` knows, for messages. */
export const PROTOCOL_NAMES: readonly string[] = [...new Set(NAMES.values())].reverse();

/** The number (0–255) of a protocol written as a number or by name; undefined when it is neither. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) {
    const number = Number(text);
    return number <= 255 ? number : undefined;
  }
  const name = text.toLowerCase();
  return Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
}

/** The name of a protocol, or its number where it has none here. */
export function protocolName(number: number): string {
  return NAMES.get(number) ?? String(number);
}
