// The meter's maps and programs: loaded and pinned by the first command, opened from the pins by the others.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { IoamctlError } from "../errors.ts";
import {
  type BpfMap,
  type BpfObject,
  type BpfProgram,
  openObject,
  openPinnedMap,
  openPinnedProgram,
  possibleCpus,
} from "../native/bpf-loader/index.ts";
import { ENTRY_CPU_BITS, ENTRY_RECORD_BITS } from "./abi.ts";
import { layoutOf, METER_OBJECT } from "./layout.ts";
import type { Pins } from "./pins.ts";
import { bucketsFor, elementsFor, SCRATCH_ELEMENTS } from "./table.ts";

const MAPS = {
  table: "table",
  counters: "counters",
  ledger: "ledger",
  events: "events",
  grace: "grace",
  graceInner: "grace_inner",
  attachments: "attachments",
  config: ".rodata",
  generation: ".data",
  namespaces: ".bss",
  exports: ".data.exports",
} as const;

type MapName = keyof typeof MAPS;
const MAP_NAMES = Object.keys(MAPS) as MapName[];
const PROGRAMS = ["ioam_ingress", "ioam_egress", "ioam_ingress_l3", "ioam_egress_l3"] as const;

/** Everything of one meter that lives in the kernel. */
export interface KernelParts {
  maps: Record<MapName, BpfMap>;
  programs: Record<string, BpfProgram>;
}

/** What a meter is made with; it cannot be changed while the meter is there. */
export interface MeterConfig {
  maxFlows: number;
  namespaces: number[];
  netns: string;
  /** Of the network namespace, whose inode another one may get when it is gone; 0n: not known. */
  netnsCookie?: bigint;
}

export const MAX_FLOWS: number = 2 ** ENTRY_RECORD_BITS - 1;
/** EVENT_TABLE_FILLING comes when this share of the log is taken. */
export const FILLING_SHARE = 0.75;

const field = (name: string): { offset: number; size: number } =>
  layoutOf("meter_config").fields[name]!;

function writeConfig(rodata: ArrayBuffer, config: MeterConfig): void {
  const view = new DataView(rodata);
  const { offset: seed, size: seedSize } = field("seed");
  new Uint8Array(rodata).set(randomBytes(seedSize), seed);
  view.setUint32(field("buckets").offset, bucketsFor(config.maxFlows), true);
  view.setUint32(field("capacity").offset, config.maxFlows, true);
  const filling = Math.max(1, Math.floor(config.maxFlows * FILLING_SHARE));
  view.setUint32(field("filling").offset, filling, true);
  view.setUint32(field("filter_namespaces").offset, config.namespaces.length > 0 ? 1 : 0, true);
  view.setBigUint64(field("netns_cookie").offset, config.netnsCookie ?? 0n, true);
  const name = new TextEncoder().encode(config.netns);
  const { offset, size } = field("netns");
  new Uint8Array(rodata).set(name.subarray(0, size - 1), offset);
}

/** Reads back what a pinned meter was made with. */
export function readConfig(parts: KernelParts): MeterConfig & { buckets: number } {
  const rodata = parts.maps.config.lookup(new Uint8Array(4))!;
  const view = new DataView(rodata.buffer, rodata.byteOffset);
  const { offset, size } = field("netns");
  const name = rodata.subarray(offset, offset + size);
  const namespaces: number[] = [];
  if (view.getUint32(field("filter_namespaces").offset, true) !== 0) {
    const bits = parts.maps.namespaces.lookup(new Uint8Array(4))!;
    for (let id = 0; id < 65536; id++) if ((bits[id >> 3]! >> (id & 7)) & 1) namespaces.push(id);
  }
  return {
    maxFlows: view.getUint32(field("capacity").offset, true),
    buckets: view.getUint32(field("buckets").offset, true),
    namespaces,
    netnsCookie: view.getBigUint64(field("netns_cookie").offset, true),
    netns: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
  };
}

/** What a loaded meter object needs before its first packet. */
export function startObject(object: BpfObject, config: MeterConfig): void {
  writeNamespaces(object.map(MAPS.namespaces), config.namespaces);
  startTable(object.map("table"));
}

function writeNamespaces(map: BpfMap, namespaces: number[]): void {
  const bits = new Uint8Array(map.mmap());
  for (const id of namespaces) bits[id >> 3]! |= 1 << (id & 7);
}

/** Sets up an opened meter object, which may then be loaded, for this configuration. */
export function configureObject(object: BpfObject, config: MeterConfig): void {
  writeConfig(object.rodata(), config);
  object.setMaxEntries("table", elementsFor(config.maxFlows));
  object.setMaxEntries("counters", possibleCpus());
}

/** Loads the programs with fresh, empty maps, and pins them all. Undoes everything on failure. */
export function loadParts(pins: Pins, config: MeterConfig): KernelParts {
  if (possibleCpus() > 1 << ENTRY_CPU_BITS) {
    throw new IoamctlError(
      "TOO_MANY_CPUS",
      `this machine may have ${possibleCpus()} CPUs and the flow table knows ${1 << ENTRY_CPU_BITS}: boot with possible_cpus=${1 << ENTRY_CPU_BITS} or fewer`,
    );
  }
  const object = openObject(METER_OBJECT);
  try {
    configureObject(object, config);
    object.load();
    startObject(object, config);
    pins.removeAll();
    pins.create();
    for (const name of MAP_NAMES) object.map(MAPS[name]).pin(pins.map(name));
    for (const name of PROGRAMS) object.program(name).pin(pins.program(name));
    object.map(MAPS.config).pin(pins.completeMark);
  } catch (error) {
    pins.removeAll();
    throw error;
  } finally {
    object.close();
  }
  return openParts(pins);
}

/** Generation 1 is the first: the half of an odd generation says that it holds it. */
function startTable(map: BpfMap): void {
  const half = (map.maxEntries - SCRATCH_ELEMENTS) / 2;
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, half, true);
  const header = new Uint8Array(map.valueSize);
  const held = layoutOf("table_header").fields.generation!.offset;
  new DataView(header.buffer).setUint32(held, 1, true);
  map.update(key, header);
}

/** Are all pins of the meter there? One whose maker was killed, or that lost some, is not whole. */
export function isWhole(pins: Pins): boolean {
  return (
    pins.complete &&
    MAP_NAMES.every((name) => existsSync(pins.map(name))) &&
    PROGRAMS.every((name) => existsSync(pins.program(name)))
  );
}

/** Opens a pinned meter. Throws METER_INCOMPLETE. */
export function openParts(pins: Pins): KernelParts {
  if (!isWhole(pins)) {
    throw new IoamctlError(
      "METER_INCOMPLETE",
      `pins are missing in ${pins.directory}: 'ioamctl detach --all' removes the rest, then attach again`,
    );
  }
  const maps = {} as Record<MapName, BpfMap>;
  for (const name of MAP_NAMES) maps[name] = openPinnedMap(pins.map(name));
  const programs: Record<string, BpfProgram> = {};
  for (const name of PROGRAMS) programs[name] = openPinnedProgram(pins.program(name));
  return { maps, programs };
}

export function closeParts(parts: KernelParts): void {
  for (const map of Object.values(parts.maps)) map.close();
  for (const program of Object.values(parts.programs)) program.close();
}
