// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Somebody else's programs at a tc hook. One counts how packets come (segments to
 * be cut, tag beside the packet, headers in pages), others put tags on; each
 * leaves the packets to the next one.
 */
#include "prelude.h"

struct witness {
	__u64 packets;
	__u64 octets; /* of frames, link layer included, as they come */
	__u64 gso; /* packets that stand for several */
	__u64 segments; /* of those */
	__u64 uncounted; /* of those, how many do not say how many they stand for */
	__u64 tagged; /* the VLAN tag is beside the packet */
	__u64 scattered; /* not all of the packet is linear */
	__u32 linear; /* fewest linear octets of those */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct witness);
} seen SEC(".maps");

SEC("tc")
int witness(struct __sk_buff *skb)
{
	__u32 zero = 0, linear = skb->data_end - skb->data;
	struct witness *w = bpf_map_lookup_elem(&seen, &zero);

	if (!w)
		return TCX_NEXT;
	__sync_fetch_and_add(&w->packets, 1);
	__sync_fetch_and_add(&w->octets, skb->len);
	if (skb->gso_size) {
		__sync_fetch_and_add(&w->gso, 1);
		__sync_fetch_and_add(&w->segments, skb->gso_segs);
		if (!skb->gso_segs)
			__sync_fetch_and_add(&w->uncounted, 1);
	}
	if (skb->vlan_present)
		__sync_fetch_and_add(&w->tagged, 1);
	if (linear < skb->len) {
		__sync_fetch_and_add(&w->scattered, 1);
		if (!w->linear || linear < w->linear)
			w->linear = linear;
	}
	return TCX_NEXT;
}

/*
 * As a VLAN device does before its parent: a tag beside the packet; with a second
 * one the first goes into the packet.
 */
SEC("tc")
int tag_once(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 0xa064);
	return TCX_NEXT;
}

SEC("tc")
int tag_twice(struct __sk_buff *skb)
{
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), 300);
	bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021AD), 200);
	return TCX_NEXT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
