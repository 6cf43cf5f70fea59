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
	SPRAYED, /* one flow over the CPUs: each takes `burst` sequence numbers at a time */
};

volatile __u32 flows = 1;
volatile __u32 order = AT_RANDOM;
volatile __u32 burst = 1;

/* A cache line a CPU. */
struct {
	__u64 random;
	__u32 next;
	__u32 left;
	__u64 pad[6];
} cpus[MAX_CPUS];

__u32 sequences[MAX_FLOWS];

/* The counter alone in its cache line. */
struct {
	__u64 pad[8];
	__u32 next;
	__u32 more[15];
} shared;

static __always_inline __u64 next_random(__u32 cpu)
{
	__u64 x = cpus[cpu].random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	cpus[cpu].random = x;
	return x;
}

static __always_inline __u32 next_sprayed(__u32 cpu)
{
	if (!cpus[cpu].left) {
		cpus[cpu].next = __sync_fetch_and_add(&shared.next, burst);
		cpus[cpu].left = burst;
	}
	cpus[cpu].left--;
	return cpus[cpu].next++;
}

static __always_inline __u32 next_packet(struct __sk_buff *skb)
{
	__u8 *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 cpu = bpf_get_smp_processor_id() & (MAX_CPUS - 1);
	__u32 flow = 0, sequence = 0;

	if (data + PACKET_LENGTH > end)
		return 0;
	switch (order) {
	case ALWAYS_NEW:
		flow = cpus[cpu].random++;
		break;
	case SPRAYED:
		sequence = next_sprayed(cpu);
		break;
	default:
		flow = ((next_random(cpu) >> 32) * flows) >> 32;
		sequence = sequences[flow & (MAX_FLOWS - 1)]++;
	}
	*(__be32 *)(data + FLOW_ID_AT) = bpf_htonl(flow);
	*(__be32 *)(data + SEQUENCE_AT) = bpf_htonl(sequence);
	return flow;
}

#endif
