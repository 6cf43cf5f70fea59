/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Counters a CPU, in memory that user space maps; and where user space keeps its own. */
#ifndef IOAMCTL_COUNTING_H
#define IOAMCTL_COUNTING_H

#include "records.h"

/* max_entries: the possible CPUs, set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledger);
} ledger SEC(".maps");

static __always_inline struct counters *counters_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&counters, &cpu);
}

static __always_inline void count_ring_dropped(void)
{
	struct counters *c = counters_of(bpf_get_smp_processor_id());

	if (c)
		c->ring_dropped++;
}

static __always_inline void count_bucket_full(void)
{
	struct counters *c = counters_of(bpf_get_smp_processor_id());

	if (c)
		c->bucket_full++;
}

#endif
