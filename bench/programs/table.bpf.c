/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The product's meter behind the rewriting of bench/programs/flows.h. */
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
