/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control: the same parser, record, clock and sequence accounting on a
 * preallocated BPF hash map, shared by the CPUs with atomic additions.
 */
#include "prelude.h"
#include "meter.h"
#include "flows.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_FLOWS);
	__type(key, struct flow_key);
	__type(value, struct flow_record);
} hashmap SEC(".maps");

/* Too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow_record);
} fresh SEC(".maps");

static __always_inline void count(struct flow_record *r, const struct packet *p, __u64 octets,
				  __u64 now)
{
	__sync_fetch_and_add(&r->packets, 1);
	__sync_fetch_and_add(&r->octets, octets);
	r->last = now;
	if (p->hop_limit < r->minimum_ttl)
		r->minimum_ttl = p->hop_limit;
	if (p->hop_limit > r->maximum_ttl)
		r->maximum_ttl = p->hop_limit;
	if (extension_flags(p) & DEX_SEQUENCE_NUMBER)
		sequence_update(r, r, 0, p->sequence, 1);
}

static __always_inline int meter_hashmap(struct __sk_buff *skb)
{
	__u32 cpu = bpf_get_smp_processor_id(), zero = 0;
	struct cursor cursor = cursor_of(skb, 0);
	struct counters *c = counters_of(cpu);
	struct flow_record *r;
	struct packet p = {};
	__u64 now, octets;

	if (!c)
		return TCX_NEXT;
	c->packets++;
	p.interface = skb->ifindex;
	if (parse_link(skb, &cursor, &p, ETHERNET) != PARSE_DEX ||
	    parse_ipv6(skb, &p, cursor.offset) != PARSE_DEX)
		return TCX_NEXT;
	octets = ip_octets(skb, &p, 1);
	now = bpf_ktime_get_coarse_ns();
	join_key(&p, (__u64 *)&p.key);
	r = bpf_map_lookup_elem(&hashmap, &p.key);
	if (!r) {
		r = bpf_map_lookup_elem(&fresh, &zero);
		if (!r)
			return TCX_NEXT;
		p.now = now;
		p.cpu = cpu;
		fill_record(r, skb, &p);
		bpf_map_update_elem(&hashmap, &p.key, r, BPF_NOEXIST);
		r = bpf_map_lookup_elem(&hashmap, &p.key);
		if (!r)
			return TCX_NEXT;
	}
	count(r, &p, octets, now);
	return TCX_NEXT;
}

SEC("tc")
int metered(struct __sk_buff *skb)
{
	next_packet(skb);
	return meter_hashmap(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
