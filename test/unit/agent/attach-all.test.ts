// Several attachments: all of them or none.
import { describe, expect, it } from "vitest";
import { attachAll, expandDirections } from "../../../src/agent/metering/attach-all.ts";
import { IoamctlError } from "../../../src/errors.ts";
import type { Attachment, Direction } from "../../../src/meter/index.ts";

/** A meter that knows some attachments and lacks some interfaces. */
function fakeMeter(there: string[], lacking: string[]) {
  const attached = new Set(there);
  return {
    attached,
    attach(interfaceName: string, direction: Direction) {
      if (lacking.includes(interfaceName)) {
        throw new IoamctlError("NO_SUCH_INTERFACE", `no interface ${interfaceName}`);
      }
      const key = `${interfaceName} ${direction}`;
      const created = !attached.has(key);
      attached.add(key);
      const hook = "tcx" as const;
      const attachment = { netns: null, interfaceName, ifindex: 1, direction, hook, programId: 1 };
      return { attachment, created };
    },
    detach(interfaceName: string, direction?: Direction): Attachment[] {
      attached.delete(`${interfaceName} ${direction}`);
      return [];
    },
  };
}

const both = (name: string) => expandDirections(name, "both");

describe("attaching to several interfaces", () => {
  it("says what was new", () => {
    const meter = fakeMeter(["a ingress"], []);
    const attached = attachAll(meter, [...both("a"), ...expandDirections("b", "egress")]);
    expect(attached.map((one) => one.created)).toEqual([false, true, true]);
    expect([...meter.attached]).toEqual(["a ingress", "a egress", "b egress"]);
  });

  it("undoes what it did, and only that, when one fails", () => {
    const meter = fakeMeter(["a ingress"], ["c"]);
    expect(() => attachAll(meter, [...both("a"), ...both("b"), ...both("c")])).toThrow(
      /no interface c/,
    );
    expect([...meter.attached]).toEqual(["a ingress"]);
  });
});
