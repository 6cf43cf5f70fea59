// Sending the records of a file: in order, as often as it says, until something is wrong.
import { describe, expect, it } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import { DEFAULT_ENTERPRISE_NUMBERS } from "../../../src/ipfix/index.ts";
import { parseRecords } from "../../../src/send/records-file.ts";
import { sendRecords } from "../../../src/send/send-records.ts";

const file = (records: string) =>
  parseRecords(
    `templates: { t: { elements: [octetDeltaCount] }, u: { elements: [flowStartNanoseconds] } }
records: [${records}]`,
    "r.yaml",
    DEFAULT_ENTERPRISE_NUMBERS,
  );

const never = new AbortController().signal;

describe("records of a file", () => {
  it("are handed over in order and repeated, with a rate or without", async () => {
    const taken: [number, number][] = [];
    const given = file(`
      { template: t, repeat: 2500, values: { octetDeltaCount: 1 } },
      { template: t, repeat: 30, rate: 2000/s, values: { octetDeltaCount: 2 } },
      { template: t, values: { octetDeltaCount: 3 } }`);
    await sendRecords(
      given,
      async (_template, records) => {
        for (const { octetDeltaCount } of records) {
          const number = Number(octetDeltaCount);
          if (taken.at(-1)?.[0] === number) taken.at(-1)![1]++;
          else taken.push([number, 1]);
        }
        return { sent: records.length, error: undefined };
      },
      never,
    );
    expect(taken).toEqual([
      [1, 2500],
      [2, 30],
      [3, 1],
    ]);
  });

  it("have the time at which they are handed over", async () => {
    const times: bigint[] = [];
    const before = BigInt(Date.now()) * 1_000_000n;
    const given = file(
      "{ template: u, repeat: 3, rate: 20/s, values: { flowStartNanoseconds: now } }",
    );
    await sendRecords(
      given,
      async (_template, records) => {
        for (const { flowStartNanoseconds } of records) times.push(flowStartNanoseconds as bigint);
        return { sent: records.length, error: undefined };
      },
      never,
    );
    expect(times).toHaveLength(3);
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times[2]).toBeGreaterThan(times[0]!);
  });

  it("leave others their turn, however fast they are taken", async () => {
    let isOthersTurn = false;
    setImmediate(() => {
      isOthersTurn = true;
    });
    const turns: boolean[] = [];
    await sendRecords(
      file("{ template: t, repeat: 3000, values: { octetDeltaCount: 1 } }"),
      async (_template, records) => {
        turns.push(isOthersTurn);
        return { sent: records.length, error: undefined };
      },
      never,
    );
    expect(turns).toEqual([false, true, true]);
  });

  it("end with the first that is not taken", async () => {
    let calls = 0;
    const given = file("{ template: t, repeat: 5000, values: { octetDeltaCount: 1 } }");
    const sending = sendRecords(
      given,
      async () => {
        calls++;
        return { sent: 0, error: new IoamctlError("EMSGSIZE", "too long") };
      },
      never,
    );
    await expect(sending).rejects.toMatchObject({ code: "EMSGSIZE" });
    expect(calls).toBe(1);
  });

  it("wait quietly where the rate is less than one in the longest time of a timer", async () => {
    const interrupt = new AbortController();
    const warnings: Error[] = [];
    const warned = (warning: Error): void => {
      warnings.push(warning);
      interrupt.abort();
    };
    process.on("warning", warned);
    const given = file("{ template: t, repeat: 2, rate: 0.001/h, values: { octetDeltaCount: 1 } }");
    await sendRecords(
      given,
      async (_template, records) => {
        // A timer that were too long would be over, and warned of, before this one.
        setTimeout(() => interrupt.abort(), 50);
        return { sent: records.length, error: undefined };
      },
      interrupt.signal,
    );
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  it("end without an error when they are interrupted", async () => {
    const interrupt = new AbortController();
    let taken = 0;
    const given = file("{ template: t, repeat: 5000, rate: 1/h, values: { octetDeltaCount: 1 } }");
    await sendRecords(
      given,
      async (_template, records) => {
        taken += records.length;
        interrupt.abort();
        return { sent: records.length, error: undefined };
      },
      interrupt.signal,
    );
    expect(taken).toBe(1);
  });
});
