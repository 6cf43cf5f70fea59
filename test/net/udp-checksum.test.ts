// The UDP datagrams of an exporting process as they are on the wire: each has a valid checksum.
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { onesSum, pseudoHeaderSum } from "../lab/checksum.ts";
import { createNetns } from "../lab/netns.ts";
import { Station } from "../lab/station.ts";

const SCRIPT = fileURLToPath(new URL("../unit/ipfix/send-in-netns.ts", import.meta.url));
const ETHERNET = 14;
const UDP = 17;

/** The UDP datagram in an Ethernet frame, and the sum over it and its pseudo header. */
function datagram(frame: Uint8Array): { checksum: number; sum: number; length: number } {
  const ip = frame.subarray(ETHERNET);
  const is4 = ip[0]! >> 4 === 4;
  const source = is4 ? ip.subarray(12, 16) : ip.subarray(8, 24);
  const destination = is4 ? ip.subarray(16, 20) : ip.subarray(24, 40);
  expect(is4 ? ip[9] : ip[6]).toBe(UDP);
  const start = is4 ? 4 * (ip[0]! & 15) : 40;
  const length = 256 * ip[start + 4]! + ip[start + 5]!;
  const octets = ip.subarray(start, start + length);
  const sum = onesSum(octets, pseudoHeaderSum(source, destination, UDP, length));
  return { checksum: 256 * octets[6]! + octets[7]!, sum, length };
}

it.each([
  ["192.0.2.1", "192.0.2.2/30", "192.0.2.1/30"],
  ["2001:db8::1", "2001:db8::2/126", "2001:db8::1/126"],
])("datagrams to %s carry a valid checksum", async (host, near, far) => {
  await using exporter = await createNetns("exporter");
  await using collector = await createNetns("collector");
  await exporter.ip(`link add near0 type veth peer name far0 netns ${collector.name}`);
  // The kernel itself computes it then, also where it cuts one buffer into many datagrams.
  await exporter.features("near0", { tx: false });
  await exporter.ip(`addr add ${near} dev near0`, "link set near0 up");
  await collector.ip(`addr add ${far} dev far0`, "link set far0 up");
  const capture = await new Station(collector).capture("far0");
  const args = ["--import", "tsx", SCRIPT, "export", host, "4739", "2000"];
  const { stdout } = await exporter.run("node", args);
  const { messages } = JSON.parse(stdout) as { messages: number };
  expect(messages).toBeGreaterThan(10);
  // Port 4739 as destination: what resolves addresses is not counted.
  const frames = await capture.take(messages, { contains: Uint8Array.of(0x12, 0x83) });
  expect(frames).toHaveLength(messages);
  for (const { checksum, sum, length } of frames.map(datagram)) {
    expect(length).toBeGreaterThan(16);
    expect(checksum).not.toBe(0);
    expect(sum).toBe(0xffff);
  }
});
