// Kernels that send no IOAM events, and that know nothing of IOAM: what cannot be had is said, the
// rest is done. Debian's 6.1 sends none; without IPv6 it lacks the whole netlink family.
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { dexPacket } from "../lab/dex-packet.ts";
import { hex } from "../lab/octets.ts";
import { packetOctets } from "../lab/packet.ts";
import { jsonLines, type LogLine } from "../net/command-lab.ts";
import { expectConserved, type StatusJson } from "../net/status-json.ts";
import { type GuestRun, inGuest } from "./guest.ts";

/** Not a shell function: what is started in the background must get its signals itself. */
const IOAMCTL = `"${process.execPath}" "${fileURLToPath(new URL("../../bin/ioamctl", import.meta.url))}"`;

const FRAMES = [1, 2, 3].map((flowId) => hex(packetOctets(dexPacket({ flowId, sequence: 1 }))));

const SEND = `
import socket, sys
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("far0", 0))
for frame in sys.argv[1:]:
    wire.send(bytes.fromhex(frame))
`;

/** An export within the seconds that status takes there would be seen by half: none is due. */
const SCRIPT = `
ip netns add node
ip -n node link add near0 type veth peer name far0
ip -n node link set near0 up
ip -n node link set far0 up
ip -n node ioam namespace add 7 data 5
echo 'trace: { source: kernel }
outputs: [{ console: {} }]' >trace.yaml
echo 'trace: { source: kernel }
outputs: [{ console: {} }]
meter: { activeTimeout: 1h }
interfaces: [{ name: near0, netns: node }]' >both.yaml

step monitor ${IOAMCTL} monitor
step traceAgent ${IOAMCTL} agent -c trace.yaml
begin agent ${IOAMCTL} agent -c both.yaml
until_says agent '"running"'
ip netns exec node python3 -c '${SEND}' ${FRAMES.join(" ")}
step status ${IOAMCTL} status --json
end agent
step detach ${IOAMCTL} detach --all
`;

describe.each([
  ["no events", "", "NO_KERNEL_IOAM_EVENTS", /this kernel sends no IOAM events: it takes Linux 6/],
  ["no family", "ipv6.disable=1", "NO_KERNEL_IOAM", /this kernel has no IOAM for IPv6: it takes L/],
])("%s", (_, parameters, code, message) => {
  let guest: GuestRun;
  beforeAll(async () => {
    guest = await inGuest({ parameters, script: SCRIPT });
    console.info(`Linux ${guest.release} ${parameters}`);
  });

  const step = (name: string) => guest.steps.get(name)!;

  test.each(["monitor", "traceAgent"])("%s ends with one clear line", (name) => {
    const { code: status, stdout, stderr } = step(name);
    expect([status, stdout]).toEqual([1, ""]);
    const last = stderr.trimEnd().split("\n").at(-1);
    expect(last).toMatch(/^ioamctl (monitor|agent): /);
    expect(last).toMatch(message);
  });

  test("an agent with interfaces says so once, and goes on metering", () => {
    const { code: status, stdout, stderr } = step("agent");
    expect(status).toBe(0);
    const warnings = jsonLines<LogLine>(stderr).filter(({ level }) => level !== "info");
    expect(warnings).toMatchObject([{ netns: "node", err: { code } }]);
    const flows = jsonLines<Record<string, unknown>>(stdout);
    expect(flows.map(({ ioamFlowId, packetDeltaCount }) => [ioamFlowId, packetDeltaCount])).toEqual(
      [1, 2, 3].map((flowId) => [flowId, 1]),
    );
  });

  test("status shows what there is", () => {
    const { code: status, stdout, stderr } = step("status");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const document = JSON.parse(stdout) as StatusJson;
    expectConserved(document, 3);
    expect(document).toMatchObject({
      attachments: [{ netns: "node", interfaceName: "near0", hook: "tc" }],
      agent: { state: "running" },
      traces: [],
      nodes: parameters === "" ? [{ netns: "node", namespaces: [{ ioamNamespaceId: 7 }] }] : [],
    });
  });

  test("detach leaves nothing behind", () => {
    expect(step("detach")).toMatchObject({ code: 0, stderr: "" });
  });
});
