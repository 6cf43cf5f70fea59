// What the compiled addon exports, loaded on first use.

import { loadAddon } from "../load-addon.ts";

/** A file descriptor that the collector closes if close() did not. */
export interface Fd {
  /** -1 once closed. */
  readonly number: number;
  close(): void;
}

export interface RawLayout {
  size: number;
  fields: Record<string, { offset: number; size: number; count?: number }>;
}

export interface RawObject {
  initialValue(map: string): ArrayBuffer;
  setInitialValue(map: string, value: Uint8Array): void;
  setMaxEntries(map: string, entries: number): void;
  setInnerMaxEntries(map: string, entries: number): void;
  reuseMap(map: string, fd: number): void;
  disableProgram(program: string): void;
  names(): { maps: string[]; programs: string[] };
  load(): void;
  map(name: string): Fd;
  program(name: string): Fd;
  layout(name: string): RawLayout;
  close(): void;
}

export interface RawMapInfo {
  id: number;
  name: string;
  type: string;
  keySize: number;
  valueSize: number;
  valueOctets: number;
  maxEntries: number;
  flags: number;
}

export interface RawProgramInfo {
  id: number;
  name: string;
  type: string;
  tag: string;
  mapIds: number[];
  runTimeNs: bigint;
  runCount: bigint;
}

export interface RawTestRunOptions {
  data: Uint8Array;
  context: Uint8Array | undefined;
  repeat: number;
  flags: number;
  cpu: number;
  batchSize: number;
  affinity: number | undefined;
}

export interface RawTestRunResult {
  retval: number;
  durationNs: number;
  dataOut: Uint8Array;
  contextOut: Uint8Array;
}

export interface RawBatch {
  keys: Uint8Array;
  values: Uint8Array;
  count: number;
  position?: Uint8Array;
}

export interface RawFilter {
  handle: number;
  priority: number;
  chain: number;
  kind: string;
  name: string;
  programId: number;
}

export interface RawRing {
  drain(): Buffer | undefined;
  close(): void;
}

export interface Addon {
  Object: new (file: string) => RawObject;
  Ring: new (
    mapFd: number,
    onBatch: (batch: Buffer | undefined, errno: number) => void,
    keepAlive: boolean,
  ) => RawRing;
  btfLayout(file: string, name: string): RawLayout;
  mapInfo(fd: number): RawMapInfo;
  createMap(
    type: number,
    name: string,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags: number,
    innerFd: number,
  ): Fd;
  mapLookup(fd: number, key: Uint8Array, valueOctets: number): Uint8Array | undefined;
  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags: number): void;
  mapUpdateAsync(fd: number, key: Uint8Array, value: Uint8Array, flags: number): Promise<void>;
  mapDelete(fd: number, key: Uint8Array): boolean;
  mapKeys(fd: number, keySize: number, limit: number): Uint8Array;
  mapBatch(fd: number, max: number, take: boolean, position?: Uint8Array): RawBatch;
  mapMmap(fd: number, offset: number, length: number, writable: boolean): ArrayBuffer;
  programInfo(fd: number): RawProgramInfo;
  testRun(fd: number, netnsFd: number, options: RawTestRunOptions): RawTestRunResult;
  testRunAsync(fd: number, netnsFd: number, options: RawTestRunOptions): Promise<RawTestRunResult>;
  linkCreateTcx(programFd: number, ifindex: number, egress: boolean, first: boolean): Fd;
  linkCreateXdp(programFd: number, ifindex: number, flags: number): Fd;
  linkInfo(fd: number): {
    id: number;
    type: string;
    programId: number;
    ifindex: number;
    attachType: string;
  };
  linkDetach(fd: number): void;
  queryTcx(ifindex: number, egress: boolean): { programId: number; linkId: number }[];
  tcAttach(
    programFd: number,
    ifindex: number,
    egress: boolean,
    priority: number,
  ): { handle: number; priority: number; createdQdisc: boolean };
  tcDetach(
    ifindex: number,
    egress: boolean,
    handle: number,
    priority: number,
    programId: number,
  ): boolean;
  tcQuery(ifindex: number, egress: boolean): RawFilter[];
  tcRemoveQdisc(ifindex: number): boolean;
  netnsOpen(path: string): { fd: Fd; inode: number };
  netnsCookie(): bigint;
  netnsEnter(fd: number): Fd;
  netnsReturn(fd: number): void;
  pin(fd: number, path: string): void;
  getPinned(path: string, kind: "map" | "program" | "link"): Fd;
  getById(kind: "map" | "program" | "link", id: number): Fd;
  mountBpffs(path: string): boolean;
  flock(fd: number, shared: boolean): boolean;
  flockWait(fd: number): Promise<void>;
  funlock(fd: number): void;
  possibleCpus(): number;
  realtimeMinusMonotonic(): bigint;
  monotonic(coarse: boolean): bigint;
  interfaceIndex(name: string): number;
  interfaceName(index: number): string | undefined;
  interfaceType(index: number): number | undefined;
}

let loaded: Addon | undefined;

/** The addon, loaded by the first call: importing this module needs neither it nor libbpf. */
export function addon(): Addon {
  loaded ??= loadAddon("bpf-loader") as Addon;
  return loaded;
}
