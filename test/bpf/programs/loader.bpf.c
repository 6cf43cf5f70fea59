/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tests of bpf-loader load: a map of each kind, and programs that leave traces in them. */
#include "prelude.h"

/* Each kind of member that a layout has to find; its offsets are what the compiler says below. */
struct shape {
	struct {
		__u8 address[16];
		__be16 port;
	} key;
	union {
		__u32 word;
		__u8 octets[4];
	};
	__u32 low : 3;
	__u32 high : 29;
	__u64 counters[5];
	__u8 last;
} __attribute__((aligned(8)));

const volatile __u32 answer = 42;
const volatile __u64 offsets[] = {
	sizeof(struct shape),
	__builtin_offsetof(struct shape, key),
	__builtin_offsetof(struct shape, key.port),
	__builtin_offsetof(struct shape, word),
	__builtin_offsetof(struct shape, octets),
	__builtin_offsetof(struct shape, counters),
	__builtin_offsetof(struct shape, last),
};
__u64 runs;
__u32 seen_answer;
__u32 seen_cpu;
__u64 seen_shape;
__u32 first_value = 7;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10000);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} per_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct shape);
} memory SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} inner_a SEC(".maps"), inner_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {
	.values = { &inner_a },
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

static void leave_traces(void)
{
	__u32 key = 0;
	struct shape *shape = bpf_map_lookup_elem(&memory, &key);
	void *inner = bpf_map_lookup_elem(&outer, &key);
	__u32 *own = bpf_map_lookup_elem(&per_cpu, &key);

	__sync_fetch_and_add(&runs, 1);
	seen_answer = answer;
	seen_cpu = bpf_get_smp_processor_id();
	if (shape) {
		__sync_fetch_and_add(&shape->counters[0], 1);
		seen_shape = offsets[answer == 42 ? 0 : 5];
	}
	if (own)
		*own += 1;
	if (inner) {
		__u64 *value = bpf_map_lookup_elem(inner, &key);

		if (value)
			__sync_fetch_and_add(value, 1);
	}
}

/* Counts, and leaves the packet to the next program. */
SEC("tc")
int count(struct __sk_buff *skb)
{
	(void)skb;
	leave_traces();
	return TCX_NEXT;
}

/* Changes the packet and its mark; tells the interface it came in by. */
SEC("tc")
int touch(struct __sk_buff *skb)
{
	__u8 octet = 0xee;

	if (bpf_skb_store_bytes(skb, 0, &octet, 1, 0))
		return 1;
	skb->mark += 1;
	return skb->ifindex;
}

/*
 * A record of `mark` octets into the ring, each of them the record's length.
 * `priority` are the flags: 0 wakes a reader that has read all before it.
 */
SEC("tc")
int emit(struct __sk_buff *skb)
{
	__u32 size = skb->mark;
	__u8 data[256];

	if (size > sizeof(data))
		return 1;
	for (__u32 i = 0; i < sizeof(data); i++)
		data[i] = size;
	return bpf_ringbuf_output(&ring, data, size, skb->priority) ? 1 : 0;
}

/* Live frames: off they go by the interface that `answer` names. */
SEC("xdp")
int redirect(struct xdp_md *context)
{
	(void)context;
	__sync_fetch_and_add(&runs, 1);
	return bpf_redirect(answer, 0);
}

SEC("xdp")
int drop(struct xdp_md *context)
{
	(void)context;
	leave_traces();
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
