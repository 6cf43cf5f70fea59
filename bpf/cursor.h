/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads headers at an offset of the packet's linear part. */
#ifndef IOAMCTL_CURSOR_H
#define IOAMCTL_CURSOR_H

/*
 * Three headers of options at their longest (2 048 octets) and room for the
 * rest. One bit short of a mask: masked, an offset looks the same to the
 * verifier in every round of a loop, and so does the round.
 */
#define MAX_OFFSET 0x1fff

struct cursor {
	void *data;
	void *end; /* of the linear part */
	__u32 offset;
	__u32 limit; /* of the IP packet: what lies beyond is padding */
};

static __always_inline struct cursor cursor_of(struct __sk_buff *skb, __u32 offset)
{
	return (struct cursor){
		.data = (void *)(long)skb->data,
		.end = (void *)(long)skb->data_end,
		.offset = offset,
	};
}

/*
 * The `size` octets (a constant) at `offset`, or NULL where the linear part
 * does not hold them all.
 */
static __always_inline void *cursor_at(const struct cursor *c, __u32 offset, __u32 size)
{
	void *p;

	if (offset > MAX_OFFSET)
		return NULL;
	p = c->data + (offset & MAX_OFFSET);
	if (p + size > c->end)
		return NULL;
	return p;
}

#endif
