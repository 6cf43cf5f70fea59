/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the header walk finds in a packet, and the flow's key made of it. */
#ifndef IOAMCTL_PACKET_H
#define IOAMCTL_PACKET_H

#include "ioam.h"
#include "records.h"

enum parse_result {
	PARSE_NONE, /* nothing to meter */
	PARSE_DEX,
	PARSE_MALFORMED,
	PARSE_SHORT, /* the linear part ends before the headers do */
};

/*
 * What the walk finds. The key's parts are kept apart, and joined in whole
 * words at the end: octets stored and read back as words would stall the CPU.
 */
struct packet {
	__u64 source[2];
	__u64 destination[2];
	__u64 direct_export; /* the DEX header as it lies in the packet, the first 8 octets */
	__be32 flow_id;
	__u32 ports; /* source and destination as they lie in the packet */
	__u32 sequence; /* valid with DEX_SEQUENCE_NUMBER */
	__u32 interface;
	__be16 vlan_id;
	__be16 customer_vlan_id;
	__u8 protocol;
	__u8 flags; /* of flow_key */
	__u32 network; /* offset of the IPv6 header that carries the options */
	__u32 payload; /* offset behind the transport header */
	__u8 dex; /* DEX options seen */
	__u8 further; /* of them, after the one that is metered */
	__u8 filtered; /* the only DEX options are of namespaces not asked for */
	__u8 trace; /* pre-allocated trace options seen */
	__u8 other; /* options of another IOAM type seen */
	__u8 hop_limit;
	/* the flow's place, once it is parsed */
	struct flow_key key;
	__u64 hash;
	__u64 now; /* ns, coarse */
	__u32 generation;
	__u32 cpu;
};

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "join_key() and the TypeScript side read words of a little-endian machine"
#endif

/* Both VLAN ids and all that follows have their place in struct flow_key. */
static __always_inline void join_key(const struct packet *p, __u64 *words)
{
	__u64 dex = p->direct_export;

	words[0] = p->source[0];
	words[1] = p->source[1];
	words[2] = p->destination[0];
	words[3] = p->destination[1];
	words[4] = p->flow_id | (__u64)p->ports << 32;
	/* namespace id, VLAN id, trace type, extension flags */
	words[5] = (dex & 0xffff) | (__u64)p->vlan_id << 16 | (dex & 0x00ffffff00000000ULL) |
		   (dex & 0xff000000) << 32;
	words[6] = p->interface | (__u64)p->protocol << 32 | (__u64)p->flags << 40 |
		   (__u64)p->customer_vlan_id << 48;
}

static __always_inline __u8 extension_flags(const struct packet *p)
{
	return p->direct_export >> 24;
}

#endif
