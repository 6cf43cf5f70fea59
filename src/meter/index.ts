// Front door of the meter: what the agent and the commands use.

export type { Contents } from "./contents.ts";
export type { Flow, FlowContext } from "./flow.ts";
export { readFlow } from "./flow.ts";
export type { FlowFilter } from "./filter.ts";
export type { Flushed } from "./flush.ts";
export type { Direction, Hook } from "./hooks.ts";
export { agentPid, type Lock, lockAgent, lockMeter } from "./locks.ts";
export { FILLING_SHARE, MAX_FLOWS } from "./maps.ts";
export { type Attachment, DEFAULT_MAX_FLOWS, Meter, type MeterOptions } from "./meter.ts";
export type { NodeIds } from "./node.ts";
export { layoutOf } from "./layout.ts";
export { FLOW_KINDS, type SealedGeneration, type Slice } from "./sealed.ts";
