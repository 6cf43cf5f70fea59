/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The meter at tc: one program a direction and kind of device. Each answers
 * "next" (the same number as TC_ACT_UNSPEC), whatever the packet is.
 */
#include "prelude.h"
#include "meter.h"

SEC("tc")
int ioam_ingress(struct __sk_buff *skb)
{
	return meter(skb, false, ETHERNET);
}

SEC("tc")
int ioam_egress(struct __sk_buff *skb)
{
	return meter(skb, true, ETHERNET);
}

SEC("tc")
int ioam_ingress_l3(struct __sk_buff *skb)
{
	return meter(skb, false, NO_LINK_LAYER);
}

SEC("tc")
int ioam_egress_l3(struct __sk_buff *skb)
{
	return meter(skb, true, NO_LINK_LAYER);
}

/*
 * Never read: updating its element returns when every program that began
 * before has ended (the kernel waits a grace period for a map of maps).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} grace_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, typeof(grace_inner));
} grace SEC(".maps") = {
	.values = { &grace_inner },
};

/* Kept by user space, so that any later command knows what is attached and how. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct attachment_key);
	__type(value, struct attachment);
} attachments SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
