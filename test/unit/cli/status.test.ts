// What status and the hints say, from meters that are made up.
import { describe, expect, it } from "vitest";
import { capacityHint } from "../../../src/cli/capacity.ts";
import { detachInterfaces } from "../../../src/cli/detach.ts";
import { toJson } from "../../../src/cli/json.ts";
import { ofDestination } from "../../../src/cli/of-destination.ts";
import { statusLines, statusOf } from "../../../src/cli/status.ts";
import type { Attachment, Meter } from "../../../src/meter/index.ts";

/** No network namespace has this number: no agent runs there. */
const NOWHERE = 1;

function attachment(fields: Partial<Attachment> = {}): Attachment {
  return {
    netns: "blue",
    interfaceName: "eth1",
    ifindex: 2,
    direction: "ingress",
    hook: "tcx",
    programId: 42,
    ...fields,
  };
}

function meter(fields: Record<string, unknown> = {}): Meter {
  return {
    netns: "blue",
    netnsInode: NOWHERE,
    maxFlows: 100,
    memoryOctets: 3 * 2 ** 20,
    attachments: () => [attachment({ direction: "egress" }), attachment()],
    contents: () => ({ flows: 12, packets: 5n, octets: 680n }),
    used: () => 12,
    counters: () => ({ packets: 2n ** 60n, dexPackets: 5n, rotations: 1n }),
    ...fields,
  } as unknown as Meter;
}

describe("status", () => {
  it("is a whole document when nothing is attached", () => {
    const status = JSON.parse(toJson(statusOf([])));
    expect(status).toMatchObject({ attachments: [], tables: [], agent: null, agents: [] });
    expect(status.counters).toMatchObject({
      packets: 0,
      dexOctets: 0,
      tableFull: 0,
      netlinkDrops: 0,
    });
    const text = [...statusLines(statusOf([]), [])].join("\n");
    expect(text).toContain("ioamctl attach -n IFACE");
    expect(text).toContain("No agent runs");
  });

  it("sums the counters of all meters and lists attachments by interface", () => {
    const other = meter({ netns: null, attachments: () => [attachment({ netns: null })] });
    const status = statusOf([meter(), other]);
    expect(status.counters).toMatchObject({ packets: 2n ** 61n, dexPackets: 10n, tableFull: 0n });
    expect(status.attachments.map((one) => [one.netns, one.direction])).toEqual([
      ["blue", "ingress"],
      ["blue", "egress"],
      [null, "ingress"],
    ]);
    expect(status.tables[0]).toEqual({
      netns: "blue",
      flows: 12,
      packets: 5n,
      octets: 680n,
      maxFlows: 100,
      memoryOctets: 3 * 2 ** 20,
    });
  });

  it("is readable", () => {
    const agents = [
      { pid: 7, state: "running" as const },
      { pid: 9, state: "stopping" as const },
    ];
    const document = { ...statusOf([meter()]), agents };
    const lines = [...statusLines(document, ["the flow table is full"])];
    expect(lines).toContain("blue   eth1         2  ingress    tcx        42");
    expect(lines).toContain("blue               12        100  12 %   3 MiB");
    expect(lines).toContain("the flow table is full");
    expect(lines.slice(-2)).toEqual(["Agent: pid 7, running.", "Agent: pid 9, stopping."]);
  });
});

describe("the hint on a table", () => {
  const hint = (used: number, netns: string | null = "blue") =>
    capacityHint({ netns, netnsInode: NOWHERE, used: () => used, maxFlows: 100 });

  it("is none below 75 %", () => {
    expect(hint(74)).toBeUndefined();
  });

  it("says that it is filling, and what to do", () => {
    expect(hint(75)).toMatch(/^the flow table of netns blue is filling: 75 of 100 .*ioamctl agent/);
    expect(hint(75)).toContain("`ioamctl flush --all --netns blue`");
  });

  it("says that it is full", () => {
    expect(hint(100, null)).toMatch(/^the flow table is full .*tableFull.*`ioamctl flush --all`/);
  });
});

it("says once which collector it speaks of", () => {
  const said = "tcp 192.0.2.1:4739: the collector refuses the connection";
  expect(ofDestination("tcp 192.0.2.1:4739", "the collector refuses the connection")).toBe(said);
  expect(ofDestination("tcp 192.0.2.1:4739", said)).toBe(said);
});

describe("detach -n", () => {
  it("detaches all or none", () => {
    const detached: string[] = [];
    const fake = meter({
      detach: (name: string) => {
        detached.push(name);
        return [attachment({ interfaceName: name })];
      },
    });
    expect(() => detachInterfaces(fake, ["eth1", "eth9"], "blue")).toThrow(
      /eth9 is not attached in netns blue/,
    );
    expect(detached).toEqual([]);
    expect(detachInterfaces(fake, ["eth1"], undefined)).toHaveLength(1);
    expect(detached).toEqual(["eth1"]);
  });
});
