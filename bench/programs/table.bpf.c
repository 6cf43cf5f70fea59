/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The product's meter behind the rewriting of bench/programs/flows.h, and what it is compared with. */
#include "prelude.h"
#include "meter.h"
#include "flows.h"

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return TCX_NEXT;
}

SEC("tc")
int unchanged(struct __sk_buff *skb)
{
	return meter(skb, false, ETHERNET);
}

SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	next_packet(skb);
	return TCX_NEXT;
}

SEC("tc")
int metered(struct __sk_buff *skb)
{
	next_packet(skb);
	return meter(skb, false, ETHERNET);
}

/* The headers alone, as far as the ports. */
SEC("tc")
int parsed(struct __sk_buff *skb)
{
	struct cursor c = cursor_of(skb, 0);
	struct packet p;

	__builtin_memset(&p, 0, offsetof(struct packet, key));
	next_packet(skb);
	if (parse_link(skb, &c, &p, ETHERNET) == PARSE_DEX &&
	    parse_ipv6(skb, &p, c.offset) == PARSE_DEX)
		skb->mark = p.ports;
	return TCX_NEXT;
}

/* What one read of the table's memory costs: one cache line of the record of that number. */
SEC("tc")
int memory(struct __sk_buff *skb)
{
	struct flow_record *r = record_at(generation, 1 + next_packet(skb));

	if (r)
		skb->mark = r->packets;
	return TCX_NEXT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
