// Front door of the meter: what the agent and the commands use.

export type { Attachment } from "./attachments.ts";
export type { Contents } from "./contents.ts";
export type { ExportDestination } from "./exports.ts";
export type { FlowFilter } from "./filter.ts";
export type { Flow, FlowContext } from "./flow.ts";
export { readFlow } from "./flow.ts";
export type { Flushed } from "./flush.ts";
export type { Direction, Hook } from "./hooks.ts";
export { layoutOf } from "./layout.ts";
export {
  type AgentRole,
  agentPid,
  type Lock,
  lockAgent,
  lockMeter,
  RUN_DIRECTORY,
  unlessAgent,
} from "./locks.ts";
export { FILLING_SHARE, MAX_FLOWS } from "./maps.ts";
export { DEFAULT_MAX_FLOWS, Meter, type MeterOptions } from "./meter.ts";
export { findNetns } from "./netns.ts";
export { noSuchInterface } from "./no-such-interface.ts";
export type { SealedGeneration } from "./sealed.ts";
export type { Slice, SliceReader } from "./slice-reader.ts";
export { READERS } from "./table.ts";
