// What may be said to an exporting process, and to an exporter of JSON.
import { IoamctlError } from "../../errors.ts";
import type { OptionsRecords } from "./options-records.ts";

/** What both have of pace and memory. */
interface PaceOptions {
  readonly mtu?: number | undefined;
  readonly maxRate?: number | undefined;
  readonly maxQueued?: number | undefined;
}

/** What an exporting process has beside that. */
interface ProcessOptions extends PaceOptions {
  readonly observationDomainId: number;
  readonly moreObservationDomains?: readonly number[] | undefined;
  readonly templateRefresh?: number | undefined;
  readonly options?: readonly OptionsRecords[] | undefined;
}

const LAST_DOMAIN = 0xffff_ffff;

/** The smallest MTU that a path may have (RFC 791), and the length that no packet exceeds. */
const LEAST_MTU = 68;
const LARGEST_MTU = 65_535;

/** More often than ten times a second a collector would get little else. */
const LEAST_PERIOD = 0.1;

/** Longest time of a timer, in whole seconds: 24 days. */
const LONGEST_PERIOD = 2_147_483;

/** Throws OPTIONS_INVALID: says which option of an exporting process cannot be, and what is right. */
export function checkProcessOptions(given: ProcessOptions): void {
  checkDomain("observationDomainId", given.observationDomainId);
  for (const [i, id] of (given.moreObservationDomains ?? []).entries()) {
    checkDomain(`moreObservationDomains[${i}]`, id);
  }
  for (const [i, { observationDomainId, period }] of (given.options ?? []).entries()) {
    checkDomain(`options[${i}].observationDomainId`, observationDomainId);
    checkPeriod(`options[${i}].period`, period);
  }
  if (given.templateRefresh !== undefined) checkPeriod("templateRefresh", given.templateRefresh);
  checkPaceOptions(given);
}

/** Throws OPTIONS_INVALID for what an exporter of JSON has of them. */
export function checkPaceOptions({ mtu, maxRate, maxQueued }: PaceOptions): void {
  if (mtu !== undefined) {
    const right = `a whole number of octets from ${LEAST_MTU} to ${LARGEST_MTU}`;
    check("mtu", mtu, isWhole(mtu, LEAST_MTU, LARGEST_MTU), right);
  }
  if (maxRate !== undefined) {
    check(
      "maxRate",
      maxRate,
      isWithin(maxRate, 1, Number.POSITIVE_INFINITY),
      "bits a second, at least 1",
    );
  }
  if (maxQueued !== undefined) {
    const isRight =
      maxQueued === Number.POSITIVE_INFINITY || isWhole(maxQueued, 1, Number.MAX_SAFE_INTEGER);
    check("maxQueued", maxQueued, isRight, "a whole number of records, at least 1");
  }
}

function checkDomain(name: string, id: number): void {
  check(name, id, isWhole(id, 0, LAST_DOMAIN), `a whole number from 0 to ${LAST_DOMAIN}`);
}

function checkPeriod(name: string, seconds: number): void {
  const isRight = isWithin(seconds, LEAST_PERIOD, LONGEST_PERIOD);
  check(name, seconds, isRight, `seconds, from ${LEAST_PERIOD} to ${LONGEST_PERIOD}`);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && isWithin(value, least, most);
}

function isWithin(value: number, least: number, most: number): boolean {
  return typeof value === "number" && value >= least && value <= most;
}

function check(name: string, value: unknown, isRight: boolean, right: string): void {
  if (isRight) return;
  throw new IoamctlError("OPTIONS_INVALID", `${name} is ${String(value)}: give ${right}`);
}
