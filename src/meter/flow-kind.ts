// Which addresses a record holds, and so which template it is exported by.

import { FLOW_IPV4, FLOW_TUNNEL } from "./abi.ts";

/** 0: IPv6; 1: IPv6 tunnelled in IPv6; 2: IPv4 tunnelled in IPv6. */
export type FlowKind = 0 | 1 | 2;

/** The kind of a flow, from flow_key.flags of bpf/records.h. */
export function flowKind(flags: number): FlowKind {
  if ((flags & FLOW_TUNNEL) === 0) return 0;
  return (flags & FLOW_IPV4) === 0 ? 1 : 2;
}
