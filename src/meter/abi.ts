// Constants that the programs and user space share: those of bpf/records.h (a test compares them).

export const ELEMENT_SIZE = 256;
export const BUCKET_ENTRIES: number = ELEMENT_SIZE / 8;

export const ENTRY_CPU_BITS = 12;
export const ENTRY_RECORD_BITS = 23;
export const ENTRY_CLOSED: number = 1 << ENTRY_RECORD_BITS;

export const FLOW_EGRESS = 0x01;
export const FLOW_PORTS = 0x02;
export const FLOW_VLAN = 0x04;
export const FLOW_CUSTOMER_VLAN = 0x08;
export const FLOW_IPV4 = 0x10;
export const FLOW_TUNNEL = 0x20;

export const EXPORT_DESTINATIONS = 64;
export const EXPORT_SETS = 2;

export const LINK_HOME = 0x80000000;
export const WINDOW_WORDS = 4;
export const SEQUENCE_BASE = 0x01;
export const SEQUENCE_CARRIED = 0x02;

/** Extension flags of a DEX option (RFC 9326, section 3.2). */
export const DEX_FLOW_ID = 0x80;
export const DEX_SEQUENCE_NUMBER = 0x40;
