// An exporting process with several observation domains: sequence numbers and templates of each are its own.
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  compileEncoder,
  ElementRegistry,
  type Encoder,
  ExportingProcess,
  type OptionsRecords,
  recordLayout,
  Template,
} from "../../../src/ipfix/index.ts";
import { Decoder, unsignedValue, type WireRecord } from "../../conformance/decoder.ts";
import { MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const layout = recordLayout({ number: 8 });
const flowId = registry.get("flowId");
const encoders: Encoder[] = [256, 300].map((id) => {
  const field = { element: flowId, source: { kind: "unsigned", field: "number" } } as const;
  return compileEncoder(new Template(id, [field]), layout);
});
const DOMAINS = [7, 0, 0xffff_ffff];

const sessions: ExportingProcess[] = [];
afterEach(async () => {
  await Promise.all(sessions.splice(0).map((session) => session.close()));
});

function open(transport: MemoryTransport, options: OptionsRecords[] = []): ExportingProcess {
  const session = new ExportingProcess({
    destination: transport.destination,
    observationDomainId: DOMAINS[0]!,
    // One that is named again changes nothing.
    moreObservationDomains: [...DOMAINS.slice(1), DOMAINS[0]!],
    encoders,
    options,
  });
  sessions.push(session);
  return session;
}

/** Records with these numbers. */
function records(numbers: readonly number[]): [ArrayBuffer, Uint32Array, number] {
  const buffer = BigUint64Array.from(numbers, BigInt).buffer;
  return [buffer, Uint32Array.from(numbers, (_, i) => 2 * i), numbers.length];
}

/** The data records by observation domain, each read with the templates of its own. */
function received({ messages }: MemoryTransport): Map<number, WireRecord[]> {
  const decoder = new Decoder();
  const all = new Map<number, WireRecord[]>();
  for (const octets of messages) {
    const message = decoder.decode(octets);
    all.set(message.domain, [...(all.get(message.domain) ?? []), ...message.records]);
  }
  expect(decoder.gaps).toBe(0);
  return all;
}

const numbers = (of: readonly WireRecord[] = []): number[] =>
  of.map(({ values }) => Number(unsignedValue(values[0]!)));

describe("records", () => {
  it("are in the domain of their call, without a gap in any, whatever overlaps and fails", async () => {
    const call = fc.record({
      domain: fc.nat(DOMAINS.length - 1),
      kinds: fc.array(fc.nat(1), { maxLength: 400 }),
    });
    const behaviour = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant("ECONNREFUSED"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 12 }),
        fc.array(behaviour, { maxLength: 20 }),
        async (calls, behaviours) => {
          const transport = new MemoryTransport();
          transport.behaviours.push(...behaviours.filter((b, i) => b !== behaviours[i - 1]));
          const session = open(transport);
          let next = 0;
          const numbered = calls.map(({ domain, kinds }) => ({
            observationDomainId: DOMAINS[domain]!,
            kinds,
            numbers: kinds.map(() => next++),
          }));
          await Promise.all(
            numbered.map(({ observationDomainId, kinds, ...one }) =>
              session.export(...records(one.numbers), kinds, {}, { observationDomainId }),
            ),
          );
          const found = received(transport);
          for (const domain of DOMAINS) {
            const sent = numbered.filter(
              ({ observationDomainId }) => observationDomainId === domain,
            );
            const ofDomain = found.get(domain) ?? [];
            for (const [kind, { template }] of encoders.entries()) {
              expect(numbers(ofDomain.filter((one) => one.template.id === template.id))).toEqual(
                sent.flatMap((one) => one.numbers.filter((_, i) => one.kinds[i] === kind)),
              );
            }
            expect(session.sentIn(domain).records).toBe(ofDomain.length);
          }
          expect(session.counters.records).toBe(next);
          const sum = (of: "messages" | "octets"): number =>
            DOMAINS.reduce((total, domain) => total + session.sentIn(domain)[of], 0);
          expect(sum("messages")).toBe(transport.messages.length);
          expect(sum("octets")).toBe(session.counters.octets);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("without a domain are in the first", async () => {
    const transport = new MemoryTransport();
    await open(transport).export(...records([1, 2, 3]), [0, 0, 0]);
    expect(numbers(received(transport).get(DOMAINS[0]!))).toEqual([1, 2, 3]);
  });

  it("of a domain that is none of its own are refused, and harm nothing", async () => {
    const transport = new MemoryTransport();
    const session = open(transport);
    const elsewhere = { observationDomainId: 8 };
    const error = expect.objectContaining({
      code: "DOMAIN_UNKNOWN",
      message: expect.stringMatching(/^8 is no observation domain .*: name it in moreObservation/),
    });
    await expect(session.export(...records([1]), [0], {}, elsewhere)).rejects.toEqual(error);
    const template = new Template(400, [{ element: flowId }]);
    await expect(session.send(template, [{ flowId: 1 }], elsewhere)).rejects.toEqual(error);
    await session.export(...records([2]), [0]);
    expect(numbers(received(transport).get(DOMAINS[0]!))).toEqual([2]);
  });
});

describe("templates", () => {
  it("of values are known in every domain before their first record, until they are withdrawn", async () => {
    const transport = new MemoryTransport();
    Object.assign(transport, { reliable: true, takesWithdrawals: true });
    const session = open(transport);
    // The session's announcements have been: what follows is not among them.
    await session.export(...records([0]), [0]);
    const template = new Template(400, [{ element: flowId }]);
    for (const [i, observationDomainId] of DOMAINS.toReversed().entries()) {
      const { sent } = await session.send(template, [{ flowId: i }], { observationDomainId });
      expect(sent).toBe(1);
    }
    const found = received(transport);
    const values = DOMAINS.map((domain) => numbers(found.get(domain)).at(-1));
    expect(values).toEqual([2, 1, 0]);

    await session.withdraw(template);
    const decoder = new Decoder();
    const told = transport.messages.map((octets) => decoder.decode(octets));
    const withdrawals = told.slice(-DOMAINS.length);
    expect(withdrawals.map(({ domain }) => domain)).toEqual(DOMAINS);
    for (const { length, records: none } of withdrawals) {
      expect(length).toBe(16 + 4 + 4);
      expect(none).toEqual([]);
    }
  });

  it("of options keep their ids from data in every domain", async () => {
    const transport = new MemoryTransport();
    const scope = registry.get("observationDomainId");
    const options = {
      template: new Template(400, [{ element: scope }, { element: flowId }], 1),
      observationDomainId: DOMAINS[2]!,
      period: 600,
      records: () => [],
    };
    const session = open(transport, [options]);
    const template = new Template(400, [{ element: flowId }]);
    await expect(session.send(template, [{ flowId: 1 }])).rejects.toMatchObject({
      code: "TEMPLATE_INVALID",
    });
  });
});
