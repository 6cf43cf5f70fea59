// Template ids: unique, stable, within what the RFC allows.
import { describe, expect, it } from "vitest";
import { TemplateIds } from "../../../src/ipfix/index.ts";

describe("template ids", () => {
  it("begin at 256 and leave out what is taken", () => {
    const ids = new TemplateIds([257, 300]);
    expect([ids.next(), ids.next(), ids.next()]).toEqual([256, 258, 259]);
    ids.take(260);
    expect(ids.next()).toBe(261);
  });

  it("are the same for the same name", () => {
    const ids = new TemplateIds();
    expect([ids.of("flow"), ids.of("trace"), ids.of("flow"), ids.next()]).toEqual([
      256, 257, 256, 258,
    ]);
  });

  it("end at 65535", () => {
    const ids = new TemplateIds();
    const all = Array.from({ length: 65536 - 256 }, () => ids.next());
    expect(new Set(all).size).toBe(all.length);
    expect(all.at(-1)).toBe(65535);
    expect(() => ids.next()).toThrowError(expect.objectContaining({ code: "TEMPLATE_INVALID" }));
  });

  it.each([255, 65536, 256.5, Number.NaN])("are not %d", (id) => {
    expect(() => new TemplateIds([id])).toThrow(/256–65535/);
  });

  it("are not given twice", () => {
    const ids = new TemplateIds();
    expect(() => ids.take(ids.next())).toThrow(/256 is taken/);
  });
});
