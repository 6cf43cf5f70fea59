// The packets of the datapath benchmarks: Ethernet, IPv6, Hop-by-Hop with DEX, UDP; and without DEX.

/**
 * 86 octets with flow id and sequence number; bench/programs/flows.h knows where they are. With
 * `numbered` false there is no sequence number, and padding in its place.
 */
export function dexPacket(numbered = true): Uint8Array {
  return Uint8Array.from([
    ...[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd],
    ...[0x60, 0, 0, 0, 0, 32, 0, 64],
    ...[0xfd, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ...[0xfd, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ...[17, 2, 1, 0, 0x11, 18, 0, 4, 0, 123, 0, numbered ? 0xc0 : 0x80, 0xf0, 0, 0, 0],
    ...[0, 0, 0, 1, 0, 0, 0, 1],
    ...[0x9c, 0x40, 0xcf, 0x08, 0, 8, 0, 0],
  ]);
}

/** The same packet without its Hop-by-Hop header. */
export function plainPacket(): Uint8Array {
  const dex = dexPacket();
  const plain = Uint8Array.from([...dex.subarray(0, 54), ...dex.subarray(78)]);
  plain[19] = 8;
  plain[20] = 17;
  return plain;
}
