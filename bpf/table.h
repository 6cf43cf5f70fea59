/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The flow table: an index of buckets and a log of records, in two halves.
 * Generation g lives in half g & 1: a header element, config.buckets buckets,
 * config.capacity records. Records are numbered from 1.
 */
#ifndef IOAMCTL_TABLE_H
#define IOAMCTL_TABLE_H

#include "config.h"

union element {
	struct table_header header;
	__u64 bucket[BUCKET_ENTRIES];
	struct flow_record record;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, union element);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} events SEC(".maps");

#define KEY_WORDS (SEED_WORDS / 2)

#define ENTRY_RECORD(entry) ((__u32)((entry)&ENTRY_RECORD_MASK))

/* Without the record number: equal for one flow on one CPU in one generation, open. */
static __always_inline __u64 entry_of(__u32 tag, __u32 generation)
{
	return (__u64)tag << 32 | (generation & 0xff) << 24;
}

static __always_inline bool entry_is_free(__u64 entry, __u32 generation)
{
	return (__u8)(entry >> 24) != (__u8)generation || !ENTRY_RECORD(entry);
}

static __always_inline union element *element_at(__u32 generation, __u32 index)
{
	__u32 half = 1 + config.buckets + config.capacity;

	if (generation & 1)
		index += half;
	return bpf_map_lookup_elem(&table, &index);
}

static __always_inline __u64 *bucket_at(__u32 generation, __u64 hash)
{
	union element *e = element_at(generation, 1 + ((__u32)hash & (config.buckets - 1)));

	return e ? e->bucket : NULL;
}

static __always_inline struct flow_record *record_at(__u32 generation, __u32 number)
{
	union element *e = element_at(generation, config.buckets + number);

	return e ? &e->record : NULL;
}

/*
 * NH, the hash of UMAC (RFC 4418, section 5.2.2), of a key in words: its
 * products do not wait for each other. The random seed keeps anybody from
 * filling one bucket on purpose.
 */
static __always_inline __u64 hash_words(const __u64 *words)
{
	__u64 h = 0;

#pragma unroll
	for (int i = 0; i < KEY_WORDS; i++)
		h += (__u64)(__u32)((__u32)words[i] + config.seed[2 * i]) *
		     (__u32)((__u32)(words[i] >> 32) + config.seed[2 * i + 1]);
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93ULL;
	return h ^ (h >> 32);
}

/* High bits of the hash (the low ones chose the bucket) and the CPU. */
static __always_inline __u32 tag_of(__u64 hash, __u32 cpu)
{
	return (__u32)(hash >> 44) << ENTRY_CPU_BITS | cpu;
}

static __always_inline bool same_key(const struct flow_key *key, const __u64 *y)
{
	const __u64 *x = (const __u64 *)key;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3]) | (x[4] ^ y[4]) |
		 (x[5] ^ y[5]) | (x[6] ^ y[6]));
}

/*
 * Where in its bucket a flow is looked for first, on from there and around. Any
 * of the four cache lines: if it were always the first, the index would use a
 * quarter of the caches' sets, and those the keys of the records compete for.
 */
static __always_inline __u32 first_entry(__u64 hash)
{
	return (__u32)(hash >> 32) & (BUCKET_ENTRIES - 8);
}

/* This CPU's record of the flow, or NULL. */
static __always_inline struct flow_record *find_record(const __u64 *bucket, __u32 generation,
						       __u64 hash, __u32 tag, const __u64 *key)
{
	__u32 first = first_entry(hash);
	__u64 wanted = entry_of(tag, generation);

	for (int i = 0; i < BUCKET_ENTRIES; i++) {
		__u64 entry = bucket[(first + i) & (BUCKET_ENTRIES - 1)];
		struct flow_record *r;

		if ((entry & ~(__u64)ENTRY_RECORD_MASK) == wanted) {
			r = record_at(generation, ENTRY_RECORD(entry));
			if (r && r->stamp == generation && same_key(&r->key, key))
				return r;
		}
		if (entry_is_free(entry, generation))
			return NULL;
	}
	return NULL;
}

#endif
