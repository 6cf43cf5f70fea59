// Records as values: any template of any elements, any values, decoded by a decoder written from the RFCs alone.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IoamctlError } from "../../../src/errors.ts";
import { type DataRecord, ExportingProcess, encodeRecord } from "../../../src/ipfix/index.ts";
import { decodedRecord } from "../../conformance/decoded-value.ts";
import { Decoder } from "../../conformance/decoder.ts";
import { anyRecords } from "./any-record.ts";
import { typeOf } from "./any-value.ts";
import { MemoryTransport } from "./memory-transport.ts";

describe("any records of any template", () => {
  it("are decoded to the values that were sent", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyRecords(), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 512, max: 9000 }),
        fc.boolean(),
        async (cases, mtu, isAnnounced) => {
          const domain = 7;
          for (const { template, records, nested, expected } of cases) {
            const transport = new MemoryTransport();
            transport.mtu = mtu;
            const session = new ExportingProcess({
              destination: transport.destination,
              observationDomainId: domain,
            });
            // With records or without: what is announced first, and what comes in between.
            if (isAnnounced) await session.send(nested[0] ?? template, []);
            const result = await session.send(template, records);
            await session.close();
            expect(result).toMatchObject({ sent: records.length, error: undefined });

            const decoder = new Decoder();
            const known = {
              typeOf,
              template: (id: number) => decoder.template(domain, id),
            };
            const decoded = transport.messages.flatMap((octets) => {
              const message = decoder.decode(octets);
              return message.records.map(({ template: { id, scopeFieldCount }, values }) => {
                expect([id, scopeFieldCount]).toEqual([template.id, template.scopeFieldCount]);
                return decodedRecord(decoder.template(domain, id), values, known);
              });
            });
            expect(decoder.gaps).toBe(0);
            expect(decoded).toEqual(expected);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("whatever is given as a record", () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withTypedArray: true,
    withNullPrototype: true,
    withMap: true,
    withBoxedValues: true,
    withSparseArray: true,
  });

  it("is encoded, or refused with VALUE_INVALID in one line", () => {
    fc.assert(
      fc.property(anyRecords(4), anything, fc.string(), fc.nat(3), (test, thing, key, place) => {
        const name = test.template.fields[place % test.template.fields.length]!.element.name;
        const mistaken = [thing, { ...test.records[0], [name]: thing }, { [key]: thing }];
        for (const record of mistaken) {
          try {
            encodeRecord(test.template, record as DataRecord);
          } catch (error) {
            expect(error).toBeInstanceOf(IoamctlError);
            const { code, message } = error as IoamctlError;
            expect(code).toBe("VALUE_INVALID");
            expect(message).toContain(`template ${test.template.id}: `);
            expect(message).not.toContain("\n");
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});
