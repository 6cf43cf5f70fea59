// Options of an exporting process and of an exporter of JSON: what cannot be is refused before it connects.
import { afterEach, describe, expect, it } from "vitest";
import {
  ElementRegistry,
  ExportingProcess,
  type ExportingProcessOptions,
  JsonExporter,
  type JsonExporterOptions,
  Template,
} from "../../../src/ipfix/index.ts";
import { destinationOf, MemoryTransport } from "./memory-transport.ts";

const registry = new ElementRegistry();
const statistics = new Template(
  400,
  ["observationDomainId", "exportedMessageTotalCount"].map((name) => ({
    element: registry.get(name),
  })),
  1,
);

const open: { close(): Promise<void> }[] = [];
let attempts = 0;
const destination = destinationOf(async () => {
  attempts++;
  return new MemoryTransport();
});
afterEach(async () => {
  attempts = 0;
  for (const exporter of open.splice(0)) await exporter.close();
});

function process(options: Partial<ExportingProcessOptions>): ExportingProcess {
  const made = new ExportingProcess({ destination, observationDomainId: 1, ...options });
  open.push(made);
  return made;
}

function jsonExporter(options: Partial<JsonExporterOptions>): JsonExporter {
  const made = new JsonExporter({ destination, ...options });
  open.push(made);
  return made;
}

const optionsRecords = (observationDomainId: number, period: number) => ({
  options: [
    { template: statistics, observationDomainId: 0, period: 60, records: () => [] },
    { template: statistics, observationDomainId, period, records: () => [] },
  ],
});

const DOMAIN = "give a whole number from 0 to 4294967295";
const PERIOD = "give seconds, from 0.1 to 2147483";
const MTU = "give a whole number of octets from 68 to 65535";
const RATE = "give bits a second, at least 1";
const QUEUED = "give a whole number of records, at least 1";

const wrongDomains = [-1, 2 ** 32, 1.5, Number.NaN, "7"] as number[];
const wrongPeriods = [
  0,
  -5,
  0.09,
  2_147_484,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "600",
] as number[];

/** Of both. */
const wrongPaces: [options: Partial<JsonExporterOptions>, message: string][] = [
  ...([0, -1, 67, 65_536, 1280.5, Number.NaN, "1500"] as number[]).map((mtu): [object, string] => [
    { mtu },
    `mtu is ${mtu}: ${MTU}`,
  ]),
  ...([0, -5, 0.5, Number.NaN, "8000"] as number[]).map((maxRate): [object, string] => [
    { maxRate },
    `maxRate is ${maxRate}: ${RATE}`,
  ]),
  ...([0, -5, 1.5, Number.NaN, "15"] as number[]).map((maxQueued): [object, string] => [
    { maxQueued },
    `maxQueued is ${maxQueued}: ${QUEUED}`,
  ]),
];

describe("an exporting process", () => {
  it.each([
    ...wrongPaces,
    ...wrongDomains.map((id): [object, string] => [
      { observationDomainId: id },
      `observationDomainId is ${id}: ${DOMAIN}`,
    ]),
    ...wrongDomains.map((id): [object, string] => [
      { moreObservationDomains: [2, id] },
      `moreObservationDomains[1] is ${id}: ${DOMAIN}`,
    ]),
    ...wrongDomains.map((id): [object, string] => [
      optionsRecords(id, 60),
      `options[1].observationDomainId is ${id}: ${DOMAIN}`,
    ]),
    ...wrongPeriods.map((period): [object, string] => [
      optionsRecords(0, period),
      `options[1].period is ${period}: ${PERIOD}`,
    ]),
    ...wrongPeriods.map((seconds): [object, string] => [
      { templateRefresh: seconds },
      `templateRefresh is ${seconds}: ${PERIOD}`,
    ]),
  ])("refuses %o", async (options, message) => {
    const error = { code: "OPTIONS_INVALID", message };
    expect(() => process(options)).toThrow(expect.objectContaining(error));
    const opening = ExportingProcess.open({ destination, observationDomainId: 1, ...options });
    await expect(opening).rejects.toMatchObject(error);
    expect(attempts).toBe(0);
  });

  it.each<Partial<ExportingProcessOptions>>([
    { observationDomainId: 0, moreObservationDomains: [0xffff_ffff] },
    optionsRecords(0xffff_ffff, 0.1),
    optionsRecords(0, 2_147_483),
    { templateRefresh: 0.1 },
    { templateRefresh: 1.5 },
    { templateRefresh: 2_147_483 },
    { mtu: 68 },
    { mtu: 65_535 },
    { maxRate: 1 },
    { maxRate: 1.5 },
    { maxRate: Number.POSITIVE_INFINITY },
    { maxQueued: 1 },
    { maxQueued: Number.POSITIVE_INFINITY },
  ])("takes %o", async (options) => {
    expect(await process(options).firstAttempt()).toBeUndefined();
  });
});

describe("an exporter of JSON", () => {
  it.each(wrongPaces)("refuses %o", (options, message) => {
    const error = { code: "OPTIONS_INVALID", message };
    expect(() => jsonExporter(options)).toThrow(expect.objectContaining(error));
    expect(attempts).toBe(0);
  });

  it("takes what may be", () => {
    jsonExporter({ mtu: 68, maxRate: 1, maxQueued: 1 });
    jsonExporter({ mtu: 65_535, maxRate: Number.POSITIVE_INFINITY });
    expect(attempts).toBe(2);
  });
});
