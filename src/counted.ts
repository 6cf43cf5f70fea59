// How messages for people say how many there are of something.

/** "1 flow", "2 flows", "0 flows": of a noun whose plural has an s more. */
export function counted(count: number | bigint, noun: string): string {
  return `${count} ${noun}${BigInt(count) === 1n ? "" : "s"}`;
}
