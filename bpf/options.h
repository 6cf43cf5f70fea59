/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Options of a Hop-by-Hop or Destination header: finds the IOAM ones, reads Direct Exporting. */
#ifndef IOAMCTL_OPTIONS_H
#define IOAMCTL_OPTIONS_H

#include "config.h"
#include "cursor.h"
#include "packet.h"

#define MAX_OPTIONS 64

/* A DEX option at `at`, which is complete and `length` octets long behind its first two. */
static __always_inline enum parse_result parse_dex(struct cursor *c, struct packet *p, __u32 at,
						   __u32 length)
{
	struct direct_export *dex = cursor_at(c, at + sizeof(struct ioam_option), sizeof(*dex));
	__u32 fields, set;
	__be32 *field;

	p->dex++;
	if (length < 2 + sizeof(*dex))
		return PARSE_MALFORMED;
	if (!dex)
		return PARSE_SHORT;

	set = dex->extension_flags;
	fields = set - ((set >> 1) & 0x55);
	fields = (fields & 0x33) + ((fields >> 2) & 0x33);
	fields = (fields + (fields >> 4)) & 0x0f;
	if (length < 2 + sizeof(*dex) + 4 * fields)
		return PARSE_MALFORMED;

	if (p->dex > 1 && !p->filtered) {
		p->further++;
		return PARSE_DEX;
	}
	p->filtered = !namespace_wanted(bpf_ntohs(dex->namespace_id));
	if (p->filtered)
		return PARSE_DEX;

	p->direct_export = *(__u64 *)dex;
	at += sizeof(struct ioam_option) + sizeof(*dex);
	if (set & DEX_FLOW_ID) {
		field = cursor_at(c, at, sizeof(*field));
		if (!field)
			return PARSE_SHORT;
		p->flow_id = *field;
		at += sizeof(*field);
	}
	if (set & DEX_SEQUENCE_NUMBER) {
		field = cursor_at(c, at, sizeof(*field));
		if (!field)
			return PARSE_SHORT;
		p->sequence = bpf_ntohl(*field);
	}
	return PARSE_DEX;
}

/*
 * The options of a Hop-by-Hop or Destination header, from `at` up to `end`;
 * PARSE_NONE when they are whole. Not static: the verifier takes such a
 * function by itself, once, and not again on every path that leads here.
 */
__noinline int parse_options(struct __sk_buff *skb, struct packet *p, __u32 at, __u32 end)
{
	struct cursor cursor = cursor_of(skb, 0), *c = &cursor;

	if (!p)
		return PARSE_MALFORMED;
	for (int i = 0; i < MAX_OPTIONS; i++) {
		struct ioam_option *option;
		__u8 *head;
		__u32 length;

		if (at >= end)
			return PARSE_NONE;
		if (at > MAX_OFFSET)
			return PARSE_MALFORMED;
		at &= MAX_OFFSET;
		head = cursor_at(c, at, 1);
		if (!head)
			return PARSE_SHORT;
		if (*head == OPTION_PAD1) {
			at++;
			continue;
		}
		if (at + 2 > end)
			return PARSE_MALFORMED;
		head = cursor_at(c, at, 2);
		if (!head)
			return PARSE_SHORT;
		length = head[1];
		if (head[0] == OPTION_IOAM_FIXED || head[0] == OPTION_IOAM_MUTABLE) {
			enum parse_result result;

			if (length < 2 || at + sizeof(*option) > end)
				return PARSE_MALFORMED;
			option = cursor_at(c, at, sizeof(*option));
			if (!option)
				return PARSE_SHORT;
			if (option->ioam_type == IOAM_DIRECT_EXPORT) {
				/* Beyond the header: no length is long enough. */
				result = parse_dex(c, p, at, at + 2 + length > end ? 0 : length);
				if (result != PARSE_DEX)
					return result;
			} else if (option->ioam_type == IOAM_TRACE_PREALLOCATED) {
				p->trace++;
			} else {
				p->other++;
			}
		}
		if (at + 2 + length > end)
			return PARSE_MALFORMED;
		at += 2 + length;
	}
	return PARSE_MALFORMED;
}

#endif
