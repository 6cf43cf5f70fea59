// bpf-loader's front door: BPF objects, maps, programs, attachments, and a few system calls.
// Importing it loads nothing native; the first call does.

export { btfLayout, type FieldLayout, type StructLayout } from "./btf.ts";
export { clockOffset, monotonicNs } from "./clock.ts";
export { possibleCpus } from "./cpus.ts";
export { errnoName } from "./failure.ts";
export { flock, flockWait, funlock, mountBpffs } from "./files.ts";
export { deviceType, interfaceIndex, interfaceName } from "./interface.ts";
export {
  attachTcx,
  attachXdp,
  BpfLink,
  type Direction,
  type LinkInfo,
  linkById,
  openPinnedLink,
  queryTcx,
} from "./link.ts";
export {
  BPF_EXIST,
  BPF_NOEXIST,
  BpfMap,
  createMap,
  type MapBatch,
  type MapOptions,
  mapById,
  openPinnedMap,
} from "./map.ts";
export { isOwnNetns, NetnsHandle, openNetns, withNetns } from "./netns.ts";
export { BpfObject, openObject } from "./object.ts";
export { unpin } from "./pin.ts";
export {
  BPF_F_TEST_XDP_LIVE_FRAMES,
  BpfProgram,
  openPinnedProgram,
  programById,
  type TestRunOptions,
  type TestRunResult,
} from "./program.ts";
export { openRing, RING_RECORD_HEADER, type Ring, type RingOptions, ringRecords } from "./ring.ts";
export {
  attachTc,
  detachTc,
  queryTc,
  removeQdisc,
  type TcAttachment,
  type TcFilter,
} from "./tc.ts";
