/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control: the same parser, record, counters, clock and sequence accounting
 * on a preallocated BPF hash map, shared by the CPUs with atomic additions. Its
 * window is not exchanged atomically: on two CPUs it counts less exactly than
 * the meter, and is the cheaper for it.
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

static __always_inline struct flow_record *make_value(struct __sk_buff *skb, struct packet *p)
{
	__u32 zero = 0;
	struct flow_record *r = bpf_map_lookup_elem(&fresh, &zero);

	if (!r)
		return NULL;
	fill_record(r, skb, p);
	bpf_map_update_elem(&hashmap, &p->key, r, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hashmap, &p->key);
}

static __always_inline void count(struct flow_record *r, const struct packet *p, __u64 octets)
{
	__sync_fetch_and_add(&r->packets, 1);
	__sync_fetch_and_add(&r->octets, octets);
	r->last = p->now;
	if (p->hop_limit < r->minimum_ttl)
		r->minimum_ttl = p->hop_limit;
	if (p->hop_limit > r->maximum_ttl)
		r->maximum_ttl = p->hop_limit;
	if (extension_flags(p) & DEX_SEQUENCE_NUMBER)
		sequence_update(r, r, 0, p->sequence, 1);
}

static __always_inline int meter_hashmap(struct __sk_buff *skb)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cursor cursor = cursor_of(skb, 0);
	struct counters *c = counters_of(cpu);
	struct flow_record *r;
	struct packet p;
	__u64 octets;

	if (!c)
		return TCX_NEXT;
	c->packets++;
	__builtin_memset(&p, 0, offsetof(struct packet, key));
	p.interface = skb->ifindex;
	if (parse_link(skb, &cursor, &p, ETHERNET) != PARSE_DEX ||
	    parse_ipv6(skb, &p, cursor.offset) != PARSE_DEX)
		return TCX_NEXT;
	octets = ip_octets(skb, &p, 1);
	c->ioam_packets++;
	c->dex_packets++;
	c->dex_octets += octets;
	p.now = bpf_ktime_get_coarse_ns();
	p.cpu = cpu;
	join_key(&p, (__u64 *)&p.key);
	r = bpf_map_lookup_elem(&hashmap, &p.key);
	if (!r)
		r = make_value(skb, &p);
	if (r)
		count(r, &p, octets);
	else
		c->table_full++;
	return TCX_NEXT;
}

SEC("tc")
int metered(struct __sk_buff *skb)
{
	next_packet(skb);
	return meter_hashmap(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
