/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From the first octet of a packet to its IPv6 header: Ethernet and VLAN tags, or no link layer. */
#ifndef IOAMCTL_LINK_H
#define IOAMCTL_LINK_H

#include "parse.h"

#ifndef ETH_P_8021AD
#define ETH_P_8021AD 0x88A8
#endif

#define VLAN_TAGS 2
#define VLAN_ID_MASK 0x0fff

enum link_layer { ETHERNET, NO_LINK_LAYER };

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

/*
 * Moves the cursor to the IPv6 header, with the VLAN tags noted; PARSE_DEX
 * when that header has others behind it that may hold options.
 */
static __always_inline enum parse_result parse_link(struct __sk_buff *skb, struct cursor *c,
						    struct packet *p, enum link_layer link)
{
	__be16 type = skb->protocol;
	struct ipv6hdr *ip;

	if (link == ETHERNET) {
		if (skb->vlan_present)
			note_vlan(p, skb->vlan_tci);
		type = parse_ethernet(c, p);
		if (!type)
			return PARSE_SHORT;
	}
	if (type != bpf_htons(ETH_P_IPV6))
		return PARSE_NONE;
	ip = cursor_at(c, c->offset, sizeof(*ip));
	if (!ip)
		return PARSE_SHORT;
	return is_extension_header(ip->nexthdr) ? PARSE_DEX : PARSE_NONE;
}

/*
 * The first test: an untagged IPv6 packet whose next header is a transport
 * leaves before anything is set up for it.
 */
static __always_inline bool is_plain(const struct cursor *c, enum link_layer link)
{
	__u32 network = link == ETHERNET ? sizeof(struct ethhdr) : 0;
	struct ipv6hdr *ip = cursor_at(c, network, sizeof(*ip));

	if (!ip || is_extension_header(ip->nexthdr))
		return false;
	return link != ETHERNET || ((struct ethhdr *)c->data)->h_proto == bpf_htons(ETH_P_IPV6);
}

#endif
