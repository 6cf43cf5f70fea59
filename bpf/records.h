/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The structs that cross into user space: the one definition of their layout.
 * TypeScript reads offsets and sizes from the BTF of the object; nothing here
 * is counted by hand a second time.
 *
 * Addresses, ports and IOAM ids are in network order, so that encoding them is
 * a copy. Counters, times and sequence numbers are native.
 */
#ifndef IOAMCTL_RECORDS_H
#define IOAMCTL_RECORDS_H

#define ELEMENT_SIZE 256
#define BUCKET_ENTRIES (ELEMENT_SIZE / 8)

/*
 * An index entry: hash (20) | CPU (12) | generation (8) | closed (1) | record
 * number (23). An entry of another generation is a free one, so no table is
 * cleared at a rotation; user space clears a part of the index each time, before
 * the 8 bits come round. A closed entry belongs to a record that was flushed:
 * the flow's next packet replaces it and carries on its sequence state.
 */
#define ENTRY_CPU_BITS 12
#define ENTRY_RECORD_BITS 23
#define ENTRY_RECORD_MASK ((1U << ENTRY_RECORD_BITS) - 1)
#define ENTRY_CLOSED (1U << ENTRY_RECORD_BITS)

/* flow_key.flags */
#define FLOW_EGRESS 0x01 /* observed at egress */
#define FLOW_PORTS 0x02 /* the ports are known */
#define FLOW_VLAN 0x04
#define FLOW_CUSTOMER_VLAN 0x08 /* a second tag (QinQ) */
#define FLOW_IPV4 0x10 /* addresses are IPv4: the first 4 octets of 16 */
#define FLOW_TUNNEL 0x20 /* addresses are the inner ones */

struct flow_key {
	__u8 source_address[16];
	__u8 destination_address[16];
	__be32 flow_id; /* DEX Flow ID, 0 without the extension flag */
	__be16 source_port;
	__be16 destination_port;
	__be16 namespace_id;
	__be16 vlan_id;
	__u8 trace_type[3];
	__u8 extension_flags;
	__u32 interface; /* of the observation point */
	__u8 protocol;
	__u8 flags;
	__be16 customer_vlan_id;
};

/* flow_record.link: flags and a record number */
#define LINK_HOME 0x80000000U /* this record holds the flow's sequence state */
#define LINK_SAME 0x40000000U /* the successor is of the same generation (after a flush) */
#define LINK_SHARED 0x20000000U /* other CPUs have records of the flow too */

#define WINDOW_WORDS 4
#define WINDOW_VALID (1ULL << 63)

struct flow_record {
	/* written once, when the record is made */
	struct flow_key key;
	__u32 stamp; /* generation of the record, written last: valid */
	/*
	 * Home record: LINK_HOME | number of the successor, the record that
	 * carried the sequence state on (0: none yet). Record of the same flow
	 * from another CPU: number of the home record.
	 */
	__u32 link;

	/* every packet */
	/*
	 * Of the home record: sequence numbers seen. Word i holds 32 numbers n
	 * with (n / 32) % WINDOW_WORDS == i, as VALID (1) | n / 32 (31) | bits
	 * (32); changed by compare-and-exchange once the flow is shared.
	 */
	__u64 window[WINDOW_WORDS];
	__u64 packets;
	__u64 octets; /* of IP packets */
	__u64 last; /* CLOCK_MONOTONIC_COARSE, ns */
	__u32 highest; /* hint for the reordering test; the window is exact */
	__u8 minimum_ttl;
	__u8 maximum_ttl;
	__u16 cpu;

	/* first packet, or something odd */
	__u64 first;
	__u8 tunnel_source[16];
	__u8 tunnel_destination[16];
	__be32 flow_label;
	__u32 ingress_interface;

	__u32 lowest; /* lowest sequence number this CPU received */
	__u32 late_highest; /* highest of those that came late */
	__u64 reordered;
	__u64 duplicates;
	/*
	 * Sequence accounting of the home record: expected packets of the
	 * interval = expected_before + highest - base, where base is lowest - 1
	 * unless SEQUENCE_BASE says that it was carried over.
	 */
	__u64 expected_before;
	__u32 base;
	__u32 restart_number; /* with SEQUENCE_RESTART: the next one if the sequence starts anew */
	__u32 carried_highest; /* with SEQUENCE_CARRIED: where the next generation goes on from */
	__u32 next; /* another CPU's record of the flow, 0: none */
	__u8 traffic_class;
	__u8 sequence_flags;
	__u8 taken; /* written by user space alone: flushed */
	__u8 pad;
	__u32 sequence_highest; /* these three: resolved by the drain, in sealed records alone */
	__u64 expected;
	__s64 lost; /* negative when late packets of another interval came */
	__u64 restart_packets; /* packets of this record when restart_number was set */
};

/* flow_record.sequence_flags */
#define SEQUENCE_BASE 0x01
#define SEQUENCE_CARRIED 0x02
#define SEQUENCE_RESTART 0x04

/* Element 0 of each half of the table. */
struct table_header {
	__u32 generation; /* that the half holds */
	__u32 count; /* records taken; above the capacity: as many were refused */
	__u64 start; /* CLOCK_MONOTONIC, ns: when the generation began */
	__u32 cursor; /* records before this one were exported */
	__u32 sealed; /* 1: the grace period is over, nothing writes any more */
	__u8 pad[ELEMENT_SIZE - 24];
};

/* One a CPU, written by that CPU alone. GSO packets count as their segments. */
struct counters {
	__u64 packets; /* that passed the hook */
	__u64 ioam_packets; /* with any IOAM option */
	__u64 dex_packets;
	__u64 dex_octets;
	__u64 dex_malformed;
	__u64 dex_malformed_octets;
	__u64 dex_further_options; /* a DEX option after the one that was metered */
	__u64 namespace_filtered;
	__u64 namespace_filtered_octets;
	__u64 table_full;
	__u64 table_full_octets;
	__u64 bucket_full; /* records that no index entry names: exported all the same */
	__u64 ioam_trace; /* pre-allocated trace options */
	__u64 ioam_other; /* options of another known or unknown IOAM type */
	__u64 options_malformed; /* options header cut off or inconsistent, no DEX in it */
	__u64 ring_dropped;
	__u64 collector_packets; /* with a DEX option, and on their way to a collector */
	__u64 collector_octets;
	__u64 pad[6];
};

/* Written by user space alone; survives the agent. */
struct ledger {
	__u64 exported_records;
	__u64 exported_packets;
	__u64 exported_octets;
	__u64 flushed_packets;
	__u64 flushed_octets;
	__u64 rotations;
	__u64 early_rotations;
	__u64 dropped_records; /* not sent: no collector took them */
	__u64 dropped_packets;
	__u64 dropped_octets;
	__u64 pad[22];
};

#define NETNS_NAME_SIZE 256
#define SEED_WORDS 14 /* as many as a key has */

/* Read-only data of the programs. */
struct meter_config {
	__u32 seed[SEED_WORDS]; /* random, of the hash */
	__u32 buckets; /* a power of two */
	__u32 capacity; /* records of a half, below 2^ENTRY_RECORD_BITS */
	__u32 filling; /* EVENT_TABLE_FILLING is sent when this many records are taken */
	__u32 filter_namespaces;
	__u64 netns_cookie; /* of the netns that is metered; 0: not known */
	char netns[NETNS_NAME_SIZE]; /* as the operator named it; empty: none */
};

#define EXPORT_DESTINATIONS 64
#define EXPORT_SETS 2

/* Packets to this address, port and protocol are not metered. */
struct export_destination {
	__u64 address[2]; /* as flow_key has it, in network order */
	__u64 rest; /* port (16, network order) | protocol (8) | FLOW_PORTS, FLOW_IPV4 (8) | 0 (32) */
};

struct export_set {
	__u32 count;
	__u32 pad;
	struct export_destination destinations[EXPORT_DESTINATIONS];
};

/*
 * Written by user space alone: always the set that is not in force, and then
 * which one is, so that no program ever sees half a list.
 */
struct exports {
	__u32 current; /* 1, 2; 0: there are no destinations */
	__u32 latest; /* the set that was written last: 1, 2; 0: none was */
	struct export_set sets[EXPORT_SETS];
};

/* Where a program of ours is attached; user space alone reads and writes these. */
struct attachment_key {
	__u32 ifindex;
	__u32 egress;
};

struct attachment {
	__u32 tc; /* 0: TCX, a pinned link; 1: a filter of clsact, as follows */
	__u32 handle;
	__u32 priority;
	__u32 created_qdisc; /* nobody had a clsact qdisc there before */
};

/* Through the ring buffer. */
#define EVENT_TABLE_FILLING 1
struct event {
	__u32 type;
	__u32 generation;
};

#endif
