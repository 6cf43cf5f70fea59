// Checksums of the packets that the tests build: Internet (RFC 1071) and CRC-32C (RFC 9260).

/** Ones' complement sum of big-endian 16-bit words, folded; an odd octet at the end counts as the high one. */
export function onesSum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** The Internet checksum of `bytes` (RFC 1071), on top of an earlier `onesSum`. */
export function internetChecksum(bytes: Uint8Array, start = 0): number {
  return ~onesSum(bytes, start) & 0xffff;
}

/** Sum of the pseudo header of IPv6 (RFC 8200, 8.1) or IPv4; addresses are 16 or 4 octets. */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  let sum = onesSum(source);
  sum = onesSum(destination, sum);
  return onesSum(
    new Uint8Array([length >>> 24, length >>> 16, length >>> 8, length, 0, protocol]),
    sum,
  );
}

/** CRC-32C as SCTP uses it (RFC 9260, appendix A): the value to store least significant octet first. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
