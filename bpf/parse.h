/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Header walk: from the IPv6 header to its DEX option and on to the transport
 * ports. Reads, never writes.
 */
#ifndef IOAMCTL_PARSE_H
#define IOAMCTL_PARSE_H

#include "options.h"

#define MAX_EXTENSION_HEADERS 8

/* All have numbers below 64: one shift instead of five comparisons. */
#define EXTENSION_HEADERS                                                               \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_FRAGMENT | \
	 1ULL << IPPROTO_AH | 1ULL << IPPROTO_DSTOPTS)

static __always_inline bool is_extension_header(__u8 type)
{
	return type < 64 && (EXTENSION_HEADERS >> type) & 1;
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

#endif
