/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What user space sets: before loading (config, constant to the verifier) or at any time. */
#ifndef IOAMCTL_CONFIG_H
#define IOAMCTL_CONFIG_H

#include "records.h"

const volatile struct meter_config config = {
	.buckets = 1,
	.capacity = 1,
	.filling = 1,
};

/* The generation that packets are counted in; user space flips it, BPF reads it once a packet. */
volatile __u32 generation = 1;

/* A bit a namespace that is metered; looked at with config.filter_namespaces. */
volatile __u64 namespaces[65536 / 64];

static __always_inline bool namespace_wanted(__u16 id)
{
	if (!config.filter_namespaces)
		return true;
	return namespaces[id >> 6] >> (id & 63) & 1;
}

#endif
