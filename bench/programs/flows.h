/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes of one packet the next of many flows, in place: BPF_PROG_TEST_RUN hands
 * the same packet over again and again. What this costs is measured by itself
 * (the program `rewrite`) and subtracted.
 */
#ifndef IOAMCTL_BENCH_FLOWS_H
#define IOAMCTL_BENCH_FLOWS_H

#define MAX_FLOWS (1 << 17)
#define MAX_CPUS 256

/* Offsets in the packet of bench/packet.ts: Ethernet, IPv6, Hop-by-Hop with a DEX option. */
#define FLOW_ID_AT (14 + 40 + 16)
#define SEQUENCE_AT (FLOW_ID_AT + 4)
#define PACKET_LENGTH (14 + 40 + 24 + 8)

enum order {
	AT_RANDOM, /* one of `flows`, its next sequence number */
	ALWAYS_NEW, /* a flow that was never there */
	SPRAYED, /* one flow; numbers from one counter, whichever CPU */
};

volatile __u32 flows = 1;
volatile __u32 order = AT_RANDOM;

/* A cache line a CPU. */
struct {
	__u64 random;
	__u64 pad[7];
} cpus[MAX_CPUS];

__u32 sequences[MAX_FLOWS];
__u32 shared_sequence;

static __always_inline void next_packet(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);
	__u64 x = cpus[cpu].random;
	__u32 flow, sequence;

	if (data + PACKET_LENGTH > end)
		return;
	switch (order) {
	case ALWAYS_NEW:
		flow = x;
		cpus[cpu].random = x + 1;
		sequence = 0;
		break;
	case SPRAYED:
		flow = 0;
		sequence = __sync_fetch_and_add(&shared_sequence, 1);
		break;
	default:
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		cpus[cpu].random = x;
		flow = ((x >> 32) * flows) >> 32;
		sequence = sequences[flow & (MAX_FLOWS - 1)]++;
	}
	*(__be32 *)(data + FLOW_ID_AT) = bpf_htonl(flow);
	*(__be32 *)(data + SEQUENCE_AT) = bpf_htonl(sequence);
}

#endif
