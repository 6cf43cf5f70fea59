/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the generator and the sink of test traffic know of a packet: a frame
 * whose first octets are a template, with fields that depend on the number of
 * the flow and on the sequence number, and a payload that depends on both.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define HEADER_WORDS 32
#define HEADER_MAX (HEADER_WORDS * 8)
#define PAYLOAD_WORDS 448 /* what fits in a page beside headroom and skb_shared_info */

/* Offsets count from the start of the frame; 0: the packet has no such field. */
struct traffic {
	__u64 header[HEADER_WORDS]; /* first octets of the frame, fields zero */
	__u64 same[HEADER_WORDS]; /* ones: bits that arrive as they are in header */
	__u32 header_words;
	__u32 header_length; /* up to the payload */
	__u32 frame_length;
	__u32 payload_words; /* written and compared, the rest is left alone */
	__u32 address_offset; /* last 4 octets of the source address: base + flow */
	__u32 address_base;
	__u32 flow_id_offset; /* base + flow */
	__u32 flow_id_base;
	__u32 port_offset; /* source port: base + flow % span */
	__u32 port_base;
	__u32 port_span;
	__u32 sequence_offset;
	__u32 first_sequence;
	__u32 checksum_offset;
	__u32 checksum_sum; /* of all that the checksum covers but fields and payload */
	__u32 hop_limit_offset;
	__u32 payload_length_offset; /* of the outer IPv6 header */
	__u32 flows;
	__u32 interface; /* generator: where frames go */
	__u32 random; /* generator: flows in random order, else in turn */
	__u32 verify; /* sink: compare every octet */
	__u32 hop_limit; /* sink: what arrives */
};

struct fields {
	__be32 address;
	__be32 flow_id;
	__be16 port;
	__u32 flow;
	__u32 sequence;
};

static __always_inline void fields_of(const struct traffic *t, __u32 flow, __u32 sequence,
				      struct fields *f)
{
	f->address = bpf_htonl(t->address_base + flow);
	f->flow_id = bpf_htonl(t->flow_id_base + flow);
	f->port = bpf_htons(t->port_base + flow % t->port_span);
	f->flow = flow;
	/* without the field nobody could tell which payload to expect */
	f->sequence = t->sequence_offset ? sequence : 0;
}

static __always_inline __u64 payload_word(const struct fields *f, __u32 i)
{
	__u64 x = ((__u64)f->flow << 32 | f->sequence) + (i + 1) * 0x9e3779b97f4a7c15ULL;

	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL;
}

static __always_inline __u64 halves(__u64 word)
{
	return (word & 0xffffffff) + (word >> 32);
}

/* The checksum of a packet with these fields, given the sum of its payload. */
static __always_inline __u16 checksum_of(const struct traffic *t, const struct fields *f,
					 __u64 payload_sum)
{
	__u64 sum = payload_sum + t->checksum_sum + f->address + f->port;

	sum = halves(sum);
	sum = halves(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	return sum ? sum : 0xffff;
}

/* Room for `size` octets at `offset` of the packet, or NULL. */
static __always_inline void *octets_at(struct xdp_md *ctx, __u32 offset, __u32 size)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	void *p = data + (offset & (2 * HEADER_MAX - 1));

	return p + size > end ? NULL : p;
}

#endif
