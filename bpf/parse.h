/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Header walk: from the first octet of a packet to its DEX option and on to
 * the transport ports. Reads, never writes.
 */
#ifndef IOAMCTL_PARSE_H
#define IOAMCTL_PARSE_H

#include "config.h"
#include "cursor.h"
#include "ioam.h"

#ifndef ETH_P_8021AD
#define ETH_P_8021AD 0x88A8
#endif

#define VLAN_TAGS 2
#define VLAN_ID_MASK 0x0fff
#define MAX_EXTENSION_HEADERS 8
#define MAX_OPTIONS 64

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

struct vlan_tag {
	__be16 id;
	__be16 type;
};

static __always_inline bool is_vlan(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

static __always_inline void note_vlan(struct packet *p, __u16 id)
{
	if (!(p->flags & FLOW_VLAN)) {
		p->flags |= FLOW_VLAN;
		p->vlan_id = bpf_htons(id & VLAN_ID_MASK);
	} else if (!(p->flags & FLOW_CUSTOMER_VLAN)) {
		p->flags |= FLOW_CUSTOMER_VLAN;
		p->customer_vlan_id = bpf_htons(id & VLAN_ID_MASK);
	}
}

/* The type behind the link layer, with the cursor behind it; 0 when cut off. */
static __always_inline __be16 parse_ethernet(struct cursor *c, struct packet *p)
{
	struct ethhdr *eth = cursor_at(c, 0, sizeof(*eth));
	__be16 type;

	if (!eth)
		return 0;
	type = eth->h_proto;
	c->offset = sizeof(*eth);
	for (int i = 0; i < VLAN_TAGS && is_vlan(type); i++) {
		struct vlan_tag *tag = cursor_at(c, c->offset, sizeof(*tag));

		if (!tag)
			return 0;
		note_vlan(p, bpf_ntohs(tag->id));
		type = tag->type;
		c->offset += sizeof(*tag);
	}
	return type;
}

/* A DEX option at `at`, which is complete and `length` octets long behind its first two. */
static __always_inline enum parse_result parse_dex(struct cursor *c, struct packet *p, __u32 at,
						   __u32 length)
{
	struct direct_export *dex = cursor_at(c, at + sizeof(struct ioam_option), sizeof(*dex));
	__u32 fields, set;
	__be32 *field;

	p->dex++;
	if (length < 2 + sizeof(*dex))
		return PARSE_MALFORMED;
	if (!dex)
		return PARSE_SHORT;

	set = dex->extension_flags;
	fields = set - ((set >> 1) & 0x55);
	fields = (fields & 0x33) + ((fields >> 2) & 0x33);
	fields = (fields + (fields >> 4)) & 0x0f;
	if (length < 2 + sizeof(*dex) + 4 * fields)
		return PARSE_MALFORMED;

	if (p->dex > 1 && !p->filtered) {
		p->further++;
		return PARSE_DEX;
	}
	p->filtered = !namespace_wanted(bpf_ntohs(dex->namespace_id));
	if (p->filtered)
		return PARSE_DEX;

	p->direct_export = *(__u64 *)dex;
	at += sizeof(struct ioam_option) + sizeof(*dex);
	if (set & DEX_FLOW_ID) {
		field = cursor_at(c, at, sizeof(*field));
		if (!field)
			return PARSE_SHORT;
		p->flow_id = *field;
		at += sizeof(*field);
	}
	if (set & DEX_SEQUENCE_NUMBER) {
		field = cursor_at(c, at, sizeof(*field));
		if (!field)
			return PARSE_SHORT;
		p->sequence = bpf_ntohl(*field);
	}
	return PARSE_DEX;
}

/*
 * The options of a Hop-by-Hop or Destination header, from `at` up to `end`;
 * PARSE_NONE when they are whole. Not static: the verifier takes such a
 * function by itself, once, and not again on every path that leads here.
 */
__noinline int parse_options(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 end)
{
	struct cursor cursor = cursor_of(skb, 0), *c = &cursor;

	if (!p)
		return PARSE_MALFORMED;
	for (int i = 0; i < MAX_OPTIONS; i++) {
		struct ioam_option *option;
		__u8 *head;
		__u32 length;

		if (at >= end)
			return PARSE_NONE;
		if (at > MAX_OFFSET)
			return PARSE_MALFORMED;
		at &= MAX_OFFSET;
		head = cursor_at(c, at, 1);
		if (!head)
			return PARSE_SHORT;
		if (*head == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end)
			return PARSE_MALFORMED;
		head = cursor_at(c, at, 2);
		if (!head)
			return PARSE_SHORT;
		length = head[1];
		if (head[0] == OPTION_IOAM_FIXED || head[0] == OPTION_IOAM_MUTABLE) {
			enum parse_result result;

			if (length < 2 || at + sizeof(*option) > end)
				return PARSE_MALFORMED;
			option = cursor_at(c, at, sizeof(*option));
			if (!option)
				return PARSE_SHORT;
			if (option->ioam_type == IOAM_DIRECT_EXPORT) {
				/* Beyond the header: no length is long enough. */
				result = parse_dex(c, p, at, at + 2 + length > end ? 0 : length);
				if (result != PARSE_DEX)
					return result;
			} else if (option->ioam_type == IOAM_TRACE_PREALLOCATED) {
				p->trace++;
			} else {
				p->other++;
			}
		}
		if (at + 2 + length > end)
			return PARSE_MALFORMED;
		at += 2 + length;
	}
	return PARSE_MALFORMED;
}

/* Ports and the length of the transport header. */
static __always_inline enum parse_result parse_transport(struct cursor *c, struct packet *p,
							 __u8 protocol)
{
	__u32 *ports;
	__u8 *offset;

	p->protocol = protocol;
	p->payload = c->offset;
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		break;
	default:
		return PARSE_DEX;
	}
	if (c->offset + sizeof(*ports) > c->limit)
		return PARSE_DEX;
	ports = cursor_at(c, c->offset, sizeof(*ports));
	if (!ports)
		return PARSE_SHORT;
	p->flags |= FLOW_PORTS;
	p->ports = *ports;

	p->payload += sizeof(struct udphdr);
	if (protocol == IPPROTO_TCP) {
		offset = cursor_at(c, c->offset + 12, 1);
		p->payload = c->offset + (offset ? (*offset >> 4) * 4 : sizeof(struct tcphdr));
	}
	return PARSE_DEX;
}

/* A tunnelled packet is keyed by its inner addresses and ports. */
static __always_inline enum parse_result parse_inner_ipv4(struct cursor *c, struct packet *p)
{
	struct iphdr *ip = cursor_at(c, c->offset, sizeof(*ip));

	if (c->offset + sizeof(*ip) > c->limit) {
		p->protocol = IPPROTO_IPIP;
		p->payload = c->offset;
		return PARSE_DEX;
	}
	if (!ip)
		return PARSE_SHORT;
	p->flags |= FLOW_TUNNEL | FLOW_IPV4;
	p->source[0] = ip->saddr;
	p->source[1] = 0;
	p->destination[0] = ip->daddr;
	p->destination[1] = 0;
	c->offset += ip->ihl * 4;
	if (ip->frag_off & bpf_htons(0x1fff)) {
		p->protocol = ip->protocol;
		p->payload = c->offset;
		return PARSE_DEX;
	}
	return parse_transport(c, p, ip->protocol);
}

static __always_inline void take_addresses(struct packet *p, const struct ipv6hdr *ip)
{
	/* Not aligned to 8 octets, which every architecture with a BPF JIT of note allows. */
	const __u64 *source = (const void *)&ip->saddr, *destination = (const void *)&ip->daddr;

	p->source[0] = source[0];
	p->source[1] = source[1];
	p->destination[0] = destination[0];
	p->destination[1] = destination[1];
}

/* All have numbers below 64: one shift instead of five comparisons. */
#define EXTENSION_HEADERS                                                                   \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_FRAGMENT |     \
	 1ULL << IPPROTO_AH | 1ULL << IPPROTO_DSTOPTS)

static __always_inline bool is_extension_header(__u8 type)
{
	return type < 64 && (EXTENSION_HEADERS >> type) & 1;
}

/*
 * From the IPv6 header at `offset` on, its extension headers as far as the
 * transport or the inner packet.
 */
__noinline int parse_ipv6(struct __sk_buff *skb, struct packet *p, __u32 offset)
{
	struct cursor cursor = cursor_of(skb, offset), *c = &cursor;
	struct ipv6hdr *ip = cursor_at(c, offset, sizeof(*ip));
	__u32 payload_length, length = skb->len;
	bool truncated;
	__u8 next;

	if (!p)
		return PARSE_NONE;
	if (!ip)
		return PARSE_SHORT;
	next = ip->nexthdr;
	if (ip->version != 6)
		return PARSE_NONE;

	p->network = c->offset;
	p->hop_limit = ip->hop_limit;
	take_addresses(p, ip);
	c->offset += sizeof(*ip);
	payload_length = bpf_ntohs(ip->payload_len);
	c->limit = c->offset + payload_length;
	truncated = c->limit > length;
	/* 0: a jumbogram, or a GSO packet beyond 64 KiB. */
	if (!payload_length || truncated)
		c->limit = length;

	for (int i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		enum parse_result result;
		__u32 size = 8;
		__u8 *head;

		if (!is_extension_header(next)) {
			if (!p->dex)
				return PARSE_NONE;
			if (truncated)
				return PARSE_MALFORMED;
			if (next == IPPROTO_IPIP && !(p->flags & FLOW_TUNNEL))
				return parse_inner_ipv4(c, p);
			if (next != IPPROTO_IPV6 || p->flags & FLOW_TUNNEL ||
			    c->offset + sizeof(*ip) > c->limit)
				return parse_transport(c, p, next);
			ip = cursor_at(c, c->offset, sizeof(*ip));
			if (!ip)
				return PARSE_SHORT;
			p->flags |= FLOW_TUNNEL;
			take_addresses(p, ip);
			c->offset += sizeof(*ip);
			next = ip->nexthdr;
			continue;
		}

		if (c->offset + size > c->limit || c->offset > MAX_OFFSET)
			return PARSE_MALFORMED;
		c->offset &= MAX_OFFSET;
		head = cursor_at(c, c->offset, size);
		if (!head)
			return PARSE_SHORT;
		if (next == IPPROTO_AH)
			size = (head[1] + 2) * 4;
		else if (next != IPPROTO_FRAGMENT)
			size = (head[1] + 1) * 8;
		if (c->offset + size > c->limit)
			return PARSE_MALFORMED;

		if (next == IPPROTO_FRAGMENT && (head[2] | (head[3] & 0xf8))) {
			/* A later fragment: no ports. */
			p->protocol = head[0];
			p->payload = c->offset + size;
			if (!p->dex)
				return PARSE_NONE;
			return truncated ? PARSE_MALFORMED : PARSE_DEX;
		}
		if ((next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS) &&
		    !(p->flags & FLOW_TUNNEL)) {
			result = parse_options(skb, p, c->offset + 2, c->offset + size);
			if (result != PARSE_NONE)
				return result;
		}
		next = head[0];
		c->offset += size;
	}
	return PARSE_MALFORMED;
}


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
