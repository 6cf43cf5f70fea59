// The plan of a flow's packets against sending them one by one.
import { describe, expect, it } from "vitest";
import { type Anomaly, flowSteps, offsetAt, sequenceFacts } from "./plan.ts";

/** The first numbers that a flow sends, less the first one, made without steps. */
function sendOneByOne(anomalies: Anomaly[], first: number, count: number): number[] {
  const sent: number[] = [];
  for (let next = 0; sent.length < count; next++) {
    const here = anomalies.filter((one) => (one.sequence - first) >>> 0 === next);
    if (!here.some(({ kind }) => kind !== "duplicate")) sent.push(next);
    for (const one of anomalies) {
      const offset = (one.sequence - first) >>> 0;
      if (one.kind === "late" && offset + one.by === next) sent.push(offset);
      if (one.kind === "duplicate" && offset + one.after === next) sent.push(offset);
    }
  }
  return sent.slice(0, count);
}

const FLOW = { flow: 0 };
const PLANS: Record<string, Anomaly[]> = {
  nothing: [],
  "the first packets lost": [0, 1].map((sequence) => ({ ...FLOW, kind: "lost", sequence })),
  "one late by one": [{ ...FLOW, kind: "late", sequence: 7, by: 1 }],
  "repeated at once": [{ ...FLOW, kind: "duplicate", sequence: 3, after: 0 }],
  "late behind a lost one": [
    { ...FLOW, kind: "late", sequence: 4, by: 2 },
    { ...FLOW, kind: "lost", sequence: 6 },
  ],
  "two at one place": [
    { ...FLOW, kind: "late", sequence: 4, by: 6 },
    { ...FLOW, kind: "duplicate", sequence: 9, after: 1 },
    { ...FLOW, kind: "lost", sequence: 11 },
  ],
  "neighbours lost and far duplicates": [
    ...[20, 21, 22, 24].map((sequence) => ({ ...FLOW, kind: "lost" as const, sequence })),
    { ...FLOW, kind: "duplicate", sequence: 2, after: 30 },
    { ...FLOW, kind: "late", sequence: 25, by: 10 },
  ],
};

describe("plan", () => {
  for (const [name, plan] of Object.entries(PLANS)) {
    for (const first of [0, 1, 0xfffffff8]) {
      it(`${name}, first number ${first}`, () => {
        const wire = plan.map((one) => ({ ...one, sequence: (one.sequence + first) >>> 0 }));
        const steps = flowSteps(wire, first);
        const sent = sendOneByOne(wire, first, 60);
        expect(sent.map((_, position) => offsetAt(steps, position))).toEqual(sent);
      });
    }
  }

  it("says what is odd", () => {
    const plan: Anomaly[] = [
      { ...FLOW, kind: "lost", sequence: 5 },
      { ...FLOW, kind: "late", sequence: 10, by: 3 },
      { ...FLOW, kind: "duplicate", sequence: 20, after: 0 },
      { ...FLOW, kind: "duplicate", sequence: 21, after: 4 },
    ];
    expect(sequenceFacts(flowSteps(plan, 0), 0, 0, 40)).toMatchObject({
      packets: 40,
      lowest: 0,
      highest: 38,
      expected: 39,
      lost: 1,
      reordered: 1,
      duplicates: 2,
    });
  });

  it("refuses more than the generator walks", () => {
    const lost = Array.from({ length: 65 }, (_, i) => ({
      ...FLOW,
      kind: "lost" as const,
      sequence: 2 * i,
    }));
    expect(() => flowSteps(lost, 0)).toThrow("65 steps");
  });
});
