// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts what arrives at the far end, flow by flow and independently of the
 * meter, and drops it. On request it compares each packet, octet by octet, with
 * the one that was sent; only the hop limit and the Ethernet addresses differ.
 */
#include "traffic.h"

/* Flow f as CPU c saw it is entry c * flows + f: nobody else writes it. */
struct sink_flow {
	__u64 packets;
	__u64 octets; /* of IP packets */
	__u64 sequence_sum;
	__u32 highest;
	__u32 late; /* not above the highest before them */
};

/* One a CPU. */
struct sink_totals {
	__u64 packets;
	__u64 octets;
	__u64 foreign; /* not of this traffic: passed on */
	__u64 mismatches;
	__u32 bad_flow; /* the last mismatch */
	__u32 bad_sequence;
	__u32 bad_part;
	__u32 bad_length;
	__u8 pad[16];
};

/* sink_totals.bad_part */
#define BAD_LENGTH 1
#define BAD_HEADER 2
#define BAD_HOP_LIMIT 3
#define BAD_FIELD 4
#define BAD_PAYLOAD 5
#define BAD_CHECKSUM 6

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct traffic);
} traffic SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sink_flow);
} sink_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sink_totals);
} totals SEC(".maps");

static __always_inline int header_differs(struct xdp_md *ctx, const struct traffic *t)
{
	const __u64 *in = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u64 differences = 0;

	for (__u32 i = 0; i < HEADER_WORDS && i < t->header_words; i++, in++) {
		if ((void *)(in + 1) > end)
			return 1;
		differences |= (*in ^ t->header[i]) & t->same[i];
	}
	return differences != 0;
}

static __always_inline int payload_differs(struct xdp_md *ctx, const struct traffic *t,
					   const struct fields *f, __u64 *sum)
{
	const __u64 *in = octets_at(ctx, t->header_length, 0);
	void *end = (void *)(long)ctx->data_end;
	__u64 differences = 0;

	for (__u32 i = 0; in && i < PAYLOAD_WORDS && i < t->payload_words; i++, in++) {
		__u64 word = payload_word(f, i);

		if ((void *)(in + 1) > end)
			return 1;
		differences |= *in ^ word;
		*sum += halves(word);
	}
	return differences != 0;
}

/* 0, or which part of the packet is not as it was sent. */
static __always_inline __u32 bad_part(struct xdp_md *ctx, const struct traffic *t,
				      const struct fields *f)
{
	__u64 sum = 0;
	void *p;

	if (ctx->data_end - ctx->data != t->frame_length)
		return BAD_LENGTH;
	if (header_differs(ctx, t))
		return BAD_HEADER;
	p = octets_at(ctx, t->hop_limit_offset, 1);
	if (!p || *(__u8 *)p != t->hop_limit)
		return BAD_HOP_LIMIT;
	p = octets_at(ctx, t->port_offset, 2);
	if (!p || *(__be16 *)p != f->port)
		return BAD_FIELD;
	if (t->flow_id_offset) {
		p = octets_at(ctx, t->flow_id_offset, 4);
		if (!p || *(__be32 *)p != f->flow_id)
			return BAD_FIELD;
	}
	if (payload_differs(ctx, t, f, &sum))
		return BAD_PAYLOAD;
	p = octets_at(ctx, t->checksum_offset, 2);
	if (!p || *(__u16 *)p != checksum_of(t, f, sum))
		return BAD_CHECKSUM;
	return 0;
}

static __always_inline void verify(struct xdp_md *ctx, const struct traffic *t, __u32 flow,
				   __u32 sequence, struct sink_totals *total)
{
	struct fields fields;
	__u32 part;

	fields_of(t, flow, sequence, &fields);
	part = bad_part(ctx, t, &fields);
	if (!part)
		return;
	total->mismatches++;
	total->bad_flow = flow;
	total->bad_sequence = sequence;
	total->bad_part = part;
	total->bad_length = ctx->data_end - ctx->data;
}

static __always_inline void count_sequence(struct sink_flow *flow, __u32 sequence)
{
	flow->sequence_sum += sequence;
	if (flow->packets && (__s32)(sequence - flow->highest) <= 0)
		flow->late++;
	else
		flow->highest = sequence;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), number, index, sequence = 0;
	struct traffic *t = bpf_map_lookup_elem(&traffic, &zero);
	struct sink_totals *total = bpf_map_lookup_elem(&totals, &cpu);
	struct sink_flow *flow;
	const __be16 *length;
	const __be32 *p;

	if (!t || !total)
		return XDP_PASS;
	p = octets_at(ctx, t->address_offset, 4);
	if (!p)
		goto foreign;
	number = bpf_ntohl(*p) - t->address_base;
	index = cpu * t->flows + number;
	flow = bpf_map_lookup_elem(&sink_flows, &index);
	length = octets_at(ctx, t->payload_length_offset, 2);
	if (number >= t->flows || !flow || !length)
		goto foreign;
	if (t->sequence_offset) {
		p = octets_at(ctx, t->sequence_offset, 4);
		if (!p)
			goto foreign;
		sequence = bpf_ntohl(*p);
		count_sequence(flow, sequence);
	}
	flow->packets++;
	flow->octets += 40 + bpf_ntohs(*length);
	total->packets++;
	total->octets += 40 + bpf_ntohs(*length);
	if (t->verify)
		verify(ctx, t, number, sequence, total);
	return XDP_DROP;
foreign:
	total->foreign++;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
