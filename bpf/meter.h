/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a hook does with a packet: parse, find the flow, count. */
#ifndef IOAMCTL_METER_H
#define IOAMCTL_METER_H

#include "counting.h"
#include "exports.h"
#include "flow.h"
#include "link.h"

/* Pulled into the linear part when headers lie outside it; the packet's octets stay the same. */
#define PULL_LENGTH 4096

/*
 * Octets of the IP packets: of a GSO packet, every further segment repeats the
 * headers (as far as they are known: not of a malformed one).
 */
static __always_inline __u64 ip_octets(struct __sk_buff *skb, const struct packet *p,
				       __u32 segments)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip = data + (p->network & 0xfff);
	__u32 headers = p->payload > p->network ? p->payload - p->network : 0;

	if (segments == 1 && (void *)(ip + 1) <= end && ip->payload_len &&
	    p->network + sizeof(*ip) + bpf_ntohs(ip->payload_len) <= skb->len)
		return sizeof(*ip) + bpf_ntohs(ip->payload_len);
	return skb->len - p->network + (__u64)(segments - 1) * headers;
}

/* Senders outside the kernel (tun, virtio) leave gso_segs to be computed. */
static __always_inline __u32 segments_of(struct __sk_buff *skb, __u32 payload)
{
	__u32 segments = skb->gso_segs, size = skb->gso_size;

	if (segments)
		return segments;
	if (!size || skb->len <= payload)
		return 1;
	return (skb->len - payload + size - 1) / size;
}

static __always_inline void meter_dex(struct __sk_buff *skb, struct packet *p, struct counters *c,
				      __u32 cpu, __u64 octets, __u32 segments)
{
	__u64 key[KEY_WORDS], hash, now = bpf_ktime_get_coarse_ns();
	struct flow_record *r, *home;
	__u32 g = generation;
	__u64 *bucket;

	join_key(p, key);
	hash = hash_words(key);
	bucket = bucket_at(g, hash);
	r = bucket ? find_record(bucket, g, hash, tag_of(hash, cpu), key) : NULL;
	if (!r) {
		__u32 number;

		__builtin_memcpy(&p->key, key, sizeof(key));
		p->hash = hash;
		p->now = now;
		p->generation = g;
		p->cpu = cpu;
		number = make_record(skb, p);

		r = number ? record_at(g, number) : NULL;
		if (!r) {
			c->table_full += segments;
			c->table_full_octets += octets;
			return;
		}
	}

	r->packets += segments;
	r->octets += octets;
	r->last = now;
	if (p->hop_limit < r->minimum_ttl)
		r->minimum_ttl = p->hop_limit;
	if (p->hop_limit > r->maximum_ttl)
		r->maximum_ttl = p->hop_limit;

	if (extension_flags(p) & DEX_SEQUENCE_NUMBER) {
		home = r->link & LINK_HOME ? r : record_at(g, r->link);
		if (home)
			sequence_update(r, home, g, p->sequence, segments);
	}
}

static __always_inline int meter(struct __sk_buff *skb, bool egress, enum link_layer link)
{
	__u32 cpu = bpf_get_smp_processor_id(), segments = skb->gso_segs ?: 1, told = segments;
	struct counters *c = counters_of(cpu);
	struct packet p;
	int result;
	__u64 octets;

	if (!c)
		return TCX_NEXT;
	c->packets += segments;
	if (skb->protocol != bpf_htons(ETH_P_IPV6) && !is_vlan(skb->protocol))
		return TCX_NEXT;

	for (int i = 0; i < 2; i++) {
		struct cursor c = cursor_of(skb, 0);

		if (is_plain(&c, link))
			return TCX_NEXT;
		__builtin_memset(&p, 0, offsetof(struct packet, key));
		p.interface = skb->ifindex;
		p.flags = egress ? FLOW_EGRESS : 0;
		result = parse_link(skb, &c, &p, link);
		if (result == PARSE_NONE)
			return TCX_NEXT;
		if (result == PARSE_DEX)
			result = parse_ipv6(skb, &p, c.offset);
		if (result != PARSE_SHORT)
			break;
		if (i == 0 &&
		    bpf_skb_pull_data(skb, skb->len < PULL_LENGTH ? skb->len : PULL_LENGTH))
			break;
	}
	if (result == PARSE_NONE && !p.trace && !p.other)
		return TCX_NEXT;

	c->ioam_trace += p.trace;
	c->ioam_other += p.other;
	if (p.dex || p.trace || p.other)
		c->ioam_packets += segments;
	if (!p.dex) {
		if (result != PARSE_NONE)
			c->options_malformed += segments;
		return TCX_NEXT;
	}

	segments = segments_of(skb, p.payload);
	c->packets += segments - told;
	c->ioam_packets += segments - told;
	octets = ip_octets(skb, &p, segments);
	c->dex_packets += segments;
	c->dex_octets += octets;
	c->dex_further_options += p.further;
	if (result != PARSE_DEX) {
		c->dex_malformed += segments;
		c->dex_malformed_octets += octets;
	} else if (p.filtered) {
		c->namespace_filtered += segments;
		c->namespace_filtered_octets += octets;
	} else if (exports.current && goes_to_collector(&p)) {
		c->collector_packets += segments;
		c->collector_octets += octets;
	} else {
		meter_dex(skb, &p, c, cpu, octets, segments);
	}
	return TCX_NEXT;
}

#endif
