/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Programs that the verifier refuses: one at once, one after a log of megabytes. */
#include "prelude.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} values SEC(".maps");

SEC("tc")
int unchecked(struct __sk_buff *skb)
{
	__u32 key = skb->mark;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value;
}

SEC("tc")
int talkative(struct __sk_buff *skb)
{
	__u32 sum = 0;
	__u32 key = 0;

	for (int i = 0; i < 20000; i++)
		sum = sum * 3 + skb->mark;
	key = sum;
	__u64 *value = bpf_map_lookup_elem(&values, &key);

	return *value;
}

char _license[] SEC("license") = "Dual BSD/GPL";
