/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Makes the record of a new flow, or of a known flow on another CPU. */
#ifndef IOAMCTL_FLOW_H
#define IOAMCTL_FLOW_H

#include "packet.h"
#include "sequence.h"

/* What a bucket says of a flow, whichever CPU's; record number 0: none. */
struct bucket_search {
	__u32 open; /* the flow's first record: the home record, or one that links to it */
	__u32 closed; /* a record of the flow that was flushed */
	__u32 slot; /* to claim: of the closed record, else the first free one */
	__u64 entry; /* what that slot holds */
};

/* Not static: verified once, by itself. */
__noinline int search_bucket(struct bucket_search *s, const struct packet *p, __u32 generation)
{
	__u64 *bucket;
	__u32 first;

	if (!s || !p)
		return 0;
	first = first_entry(p->hash);
	bucket = bucket_at(generation, p->hash);
	s->open = 0;
	s->closed = 0;
	s->slot = BUCKET_ENTRIES;
	s->entry = 0;
	if (!bucket)
		return 0;
	for (int i = 0; i < BUCKET_ENTRIES; i++) {
		__u32 slot = (first + i) & (BUCKET_ENTRIES - 1);
		__u64 entry = bucket[slot];
		struct flow_record *r;

		if (entry_is_free(entry, generation)) {
			if (!s->closed) {
				s->slot = slot;
				s->entry = entry;
			}
			return 0;
		}
		if (entry >> (32 + ENTRY_CPU_BITS) != p->hash >> 44)
			continue;
		r = record_at(generation, ENTRY_RECORD(entry));
		if (!r || r->stamp != generation || !same_key(&r->key, (const __u64 *)&p->key))
			continue;
		if (!(entry & ENTRY_CLOSED)) {
			if (!s->open)
				s->open = ENTRY_RECORD(entry);
		} else if (!s->closed) {
			s->closed = ENTRY_RECORD(entry);
			s->slot = slot;
			s->entry = entry;
		}
	}
	return 0;
}

static __always_inline __u32 home_of(__u32 generation, __u32 number)
{
	struct flow_record *r = record_at(generation, number);

	if (!r || r->link & LINK_HOME)
		return number;
	return r->link & ENTRY_RECORD_MASK;
}

/* The next record of the log, or 0 when it is full. */
static __always_inline __u32 take_record(__u32 generation)
{
	union element *e = element_at(generation, 0);
	struct event *event;
	__u32 count;

	if (!e || e->header.count >= config.capacity)
		return 0;
	count = __sync_fetch_and_add(&e->header.count, 1);
	if (count >= config.capacity)
		return 0;
	if (count + 1 == config.filling) {
		event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
		if (event) {
			event->type = EVENT_TABLE_FILLING;
			event->generation = generation;
			bpf_ringbuf_submit(event, 0);
		} else {
			count_ring_dropped();
		}
	}
	return count + 1;
}

static __always_inline void fill_record(struct flow_record *r, struct __sk_buff *skb,
					const struct packet *p)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	struct ipv6hdr *ip = data + (p->network & 0xfff);

	r->key = p->key;
	r->link = LINK_HOME;
	for (int i = 0; i < WINDOW_WORDS; i++)
		r->window[i] = 0;
	r->packets = 0;
	r->octets = 0;
	r->last = p->now;
	r->highest = p->sequence - 1;
	r->minimum_ttl = p->hop_limit;
	r->maximum_ttl = p->hop_limit;
	r->cpu = p->cpu;
	r->first = p->now;
	if ((void *)(ip + 1) <= end) {
		r->flow_label = *(__be32 *)ip & bpf_htonl(0x000fffff);
		r->traffic_class = bpf_ntohl(*(__be32 *)ip) >> 20;
		__builtin_memcpy(r->tunnel_source, &ip->saddr, 16);
		__builtin_memcpy(r->tunnel_destination, &ip->daddr, 16);
	}
	r->ingress_interface = skb->ingress_ifindex;
	r->lowest = p->sequence;
	r->late_highest = p->sequence;
	r->reordered = 0;
	r->duplicates = 0;
	r->expected_before = 0;
	r->base = 0;
	r->next = 0;
	r->sequence_flags = 0;
	r->taken = 0;
	r->sequence_highest = 0;
	r->expected = 0;
	r->lost = 0;
}

/* Adds the numbers in the window of `source`, which nobody clears; whether there are any. */
static __always_inline bool add_window(struct flow_record *r, struct flow_record *source)
{
	bool any = false;

	for (int i = 0; i < WINDOW_WORDS; i++) {
		__u64 word = *(volatile __u64 *)&source->window[i];

		if (word & WINDOW_VALID) {
			window_add_shared(r->window, word);
			any = true;
		}
	}
	return any;
}

/*
 * Carries the sequence state on from `source`, the flow's home record before
 * `r`. Other CPUs may see `r` already, so nothing in its window is written
 * over; what a packet in hand adds to the source after the link is set, it
 * adds to `r` too (sequence_update).
 */
static __always_inline void carry_on(struct flow_record *r, __u32 number,
				     struct flow_record *source, __u32 stamp, __u32 same)
{
	__u32 highest, link = source->link;

	if (source->stamp != stamp || link & ENTRY_RECORD_MASK ||
	    __sync_val_compare_and_swap(&source->link, link, link | same | number) != link)
		return;
	/* Several CPUs wrote in the interval before: they will again. */
	if (source->next)
		__sync_fetch_and_or(&r->link, LINK_SHARED);
	if (!add_window(r, source))
		return;
	highest = window_highest(source->window);
	source->carried_highest = highest;
	source->sequence_flags |= SEQUENCE_CARRIED;
	r->base = highest;
	r->highest = highest;
	r->sequence_flags |= SEQUENCE_BASE;
}

/*
 * The flow's home record that the sequence state comes from: of this generation
 * when a record of it was closed, else of the previous one, which is noted.
 */
static __always_inline struct flow_record *record_before(const struct packet *p, __u32 closed,
							 __u32 *generation)
{
	struct bucket_search s;

	if (!closed) {
		*generation -= 1;
		search_bucket(&s, p, *generation);
		closed = s.open ? s.open : s.closed;
		if (!closed)
			return NULL;
	}
	return record_at(*generation, home_of(*generation, closed));
}

/*
 * Makes `r`, a record of the flow from another CPU, follow its home record.
 * That CPU may be about to carry the state on: the packet in hand would not find
 * its number there, so the window is added here too.
 */
static __always_inline void follow(struct flow_record *r, __u32 number, const struct packet *p,
				   __u32 closed)
{
	__u32 generation = p->generation;
	struct flow_record *home = record_at(generation, r->link), *source;

	if (!home)
		return;
	__sync_fetch_and_or(&home->link, LINK_SHARED);
	r->next = __sync_lock_test_and_set(&home->next, number);
	if (!(extension_flags(p) & DEX_SEQUENCE_NUMBER) || home->sequence_flags & SEQUENCE_BASE)
		return;
	source = record_before(p, closed, &generation);
	if (source && source->stamp == generation)
		add_window(home, source);
}

/*
 * Makes this CPU's record of the flow. Its number, or 0 when the log is full.
 * Without a free index entry the record stands in the log all the same.
 */
__noinline int make_record(struct __sk_buff *skb, struct packet *p)
{
	struct flow_record *r, *source;
	struct bucket_search s;
	__u32 number, g, before;
	__u64 *bucket, entry;

	if (!p)
		return 0;
	g = p->generation;
	bucket = bucket_at(g, p->hash);
	number = take_record(g);
	if (!bucket || !number)
		return 0;
	r = record_at(g, number);
	if (!r)
		return 0;
	fill_record(r, skb, p);
	__sync_lock_test_and_set(&r->stamp, g);

	entry = entry_of(tag_of(p->hash, p->cpu), g) | number;
	for (int i = 0; i < EXCHANGE_TRIES; i++) {
		search_bucket(&s, p, g);
		if (s.slot >= BUCKET_ENTRIES)
			break;
		if (s.open)
			r->link = home_of(g, s.open);
		if (__sync_val_compare_and_swap(&bucket[s.slot & (BUCKET_ENTRIES - 1)], s.entry,
						entry) != s.entry)
			continue;
		if (s.open) {
			follow(r, number, p, s.closed);
		} else if (extension_flags(p) & DEX_SEQUENCE_NUMBER) {
			before = g;
			source = record_before(p, s.closed, &before);
			if (source)
				carry_on(r, number, source, before, before == g ? LINK_SAME : 0);
		}
		return number;
	}
	r->link = LINK_HOME;
	count_bucket_full();
	return number;
}

#endif
