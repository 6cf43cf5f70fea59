// The kernel's own IOAM: its events and how its nodes are set up, by generic netlink.

export { EventBatch } from "./event-batch.ts";
export { IoamEvent } from "./ioam-event.ts";
export {
  type KernelEventCounters,
  KernelEvents,
  type KernelEventsOptions,
  listenToKernel,
} from "./kernel-events.ts";
export {
  ENABLE_IOAM,
  hasIoamEnabled,
  type InterfaceSetting,
  type NamespaceSetting,
  type NodeSettings,
  readNodeSettings,
  type SchemaSetting,
} from "./node-data.ts";
