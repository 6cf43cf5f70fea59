// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Makes traffic at the rate the machine forwards: run by BPF_PROG_TEST_RUN with
 * live frames, it writes each frame anew (frames are recycled and come back as
 * forwarding left them) and redirects it to a device.
 */
#include "traffic.h"

#define STEPS_MAX 64

/* One a CPU, written by that CPU alone while it generates. */
struct slot {
	__u32 first_flow;
	__u32 flows; /* this CPU sends flows first_flow … first_flow + flows - 1 */
	__u64 sent;
	__u32 salt; /* of the random order */
	__u32 refused; /* frames too short for their template */
	__u8 pad[40];
};

struct flow {
	__u32 position; /* packets sent */
	__u32 first_step;
	__u32 steps;
	__u32 pad;
};

/* From `position` on, packet number p of the flow has sequence number first + p + shift. */
struct step {
	__u32 position;
	__u32 shift;
};

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
	__type(value, struct slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct step);
} steps SEC(".maps");

static __always_inline __u32 mix(__u32 x)
{
	x *= 0x9e3779b1;
	x ^= x >> 15;
	x *= 0x85ebca77;
	return x ^ x >> 13;
}

static __always_inline __u32 choose_flow(const struct traffic *t, struct slot *slot)
{
	__u32 n = slot->sent++;

	if (t->random)
		return slot->first_flow + ((__u64)mix(n + slot->salt) * slot->flows >> 32);
	return slot->first_flow + n % slot->flows;
}

static __always_inline __u32 choose_sequence(const struct traffic *t, struct flow *flow)
{
	__u32 position = __sync_fetch_and_add(&flow->position, 1);
	__u32 shift = 0;

	for (__u32 i = 0; i < STEPS_MAX && i < flow->steps; i++) {
		__u32 key = flow->first_step + i;
		const struct step *step = bpf_map_lookup_elem(&steps, &key);

		if (!step || step->position > position)
			break;
		shift = step->shift;
	}
	return t->first_sequence + position + shift;
}

static __always_inline int write_header(struct xdp_md *ctx, const struct traffic *t)
{
	__u64 *out = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	for (__u32 i = 0; i < HEADER_WORDS && i < t->header_words; i++, out++) {
		if ((void *)(out + 1) > end)
			return -1;
		*out = t->header[i];
	}
	return 0;
}

/* Writes the payload and returns its sum. */
static __always_inline __u64 write_payload(struct xdp_md *ctx, const struct traffic *t,
					   const struct fields *f)
{
	__u64 *out = octets_at(ctx, t->header_length, 0);
	void *end = (void *)(long)ctx->data_end;
	__u64 sum = 0;

	for (__u32 i = 0; out && i < PAYLOAD_WORDS && i < t->payload_words; i++, out++) {
		if ((void *)(out + 1) > end)
			break;
		*out = payload_word(f, i);
		sum += halves(*out);
	}
	return sum;
}

static __always_inline int write_fields(struct xdp_md *ctx, const struct traffic *t,
					const struct fields *f, __u64 payload_sum)
{
	void *p;

	p = octets_at(ctx, t->address_offset, 4);
	if (!p)
		return -1;
	*(__be32 *)p = f->address;
	if (t->flow_id_offset) {
		p = octets_at(ctx, t->flow_id_offset, 4);
		if (!p)
			return -1;
		*(__be32 *)p = f->flow_id;
	}
	if (t->sequence_offset) {
		p = octets_at(ctx, t->sequence_offset, 4);
		if (!p)
			return -1;
		*(__be32 *)p = bpf_htonl(f->sequence);
	}
	p = octets_at(ctx, t->port_offset, 2);
	if (!p)
		return -1;
	*(__be16 *)p = f->port;
	p = octets_at(ctx, t->checksum_offset, 2);
	if (!p)
		return -1;
	*(__u16 *)p = checksum_of(t, f, payload_sum);
	return 0;
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id(), number;
	struct traffic *t = bpf_map_lookup_elem(&traffic, &zero);
	struct slot *slot = bpf_map_lookup_elem(&slots, &cpu);
	struct fields fields;
	struct flow *flow;

	if (!t || !slot)
		return XDP_ABORTED;
	number = choose_flow(t, slot);
	flow = bpf_map_lookup_elem(&flows, &number);
	if (!flow || write_header(ctx, t)) {
		slot->refused++;
		return XDP_ABORTED;
	}
	fields_of(t, number, choose_sequence(t, flow), &fields);
	if (write_fields(ctx, t, &fields, write_payload(ctx, t, &fields))) {
		slot->refused++;
		return XDP_ABORTED;
	}
	return bpf_redirect(t->interface, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
