// Fits names, addresses and counts into few columns, keeping what tells them apart.

const ELLIPSIS = "…";

/** Text cut in the middle: both ends stay. */
export function shortenMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.ceil((width - 1) / 2);
  const start = width - 1 - end;
  return text.slice(0, start) + ELLIPSIS + (end === 0 ? "" : text.slice(-end));
}

/**
 * "ADDRESS" or "[ADDRESS]:PORT" with whole groups of the address left out in the middle, the port
 * kept: "[2001:db8:…:ffff]:40000".
 */
export function shortenEndpoint(text: string, width: number): string {
  if (text.length <= width) return text;
  // IPv4 addresses have no groups to leave out.
  if (!text.startsWith("[") && text.includes(".")) return shortenMiddle(text, width);
  const [, open = "", address = "", rest = ""] = /^(\[?)([^\]]*)(.*)$/.exec(text)!;
  const room = width - open.length - rest.length;
  const groups = address.split(":");
  for (let kept = groups.length - 1; kept >= 1; kept--) {
    const back = Math.ceil(kept / 2);
    const front = groups.slice(0, kept - back);
    const short = [...front, ELLIPSIS, ...groups.slice(-back)].join(":");
    if (short.length <= room) return open + short + rest;
  }
  return shortenMiddle(text, width);
}

/** A count in thousands (k), millions (M), … rounded down, as far as it needs to. */
export function shortenCount(digits: string, width: number): string {
  let short = digits;
  for (const unit of ["k", "M", "G", "T", "P", "E"]) {
    if (short.length <= width) break;
    short = `${short.replace(/\D$/, "").slice(0, -3)}${unit}`;
  }
  return short;
}
