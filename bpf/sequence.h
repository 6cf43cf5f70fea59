/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loss, reordering and duplicates from DEX sequence numbers: a window of the
 * numbers seen as in RFC 4303, serial-number arithmetic (RFC 1982), restarts
 * as in RFC 3550, A.1. docs/sequence.md has the definitions.
 */
#ifndef IOAMCTL_SEQUENCE_H
#define IOAMCTL_SEQUENCE_H

#include "table.h"

/* Behind the highest by more than the window surely holds: late, or a restart. */
#define MAX_MISORDER ((WINDOW_WORDS - 1) * 32)
/* Ahead by more than 16 s at 1 M packets/s of one flow: a restart rather than a loss. */
#define MAX_DROPOUT (1 << 24)

/* Tries of a compare-and-exchange; each failure means that another CPU succeeded. */
#define EXCHANGE_TRIES 16

enum window_result { WINDOW_NEW, WINDOW_SEEN, WINDOW_BEYOND };

static __always_inline __u64 window_word(__u32 number)
{
	return WINDOW_VALID | (__u64)(number >> 5) << 32 | 1ULL << (number & 31);
}

/* Is word `a` of newer numbers than word `b`? */
static __always_inline bool word_is_newer(__u64 a, __u64 b)
{
	/* The words' numbers have 27 bits: shifted up, the sign is serial. */
	return !(b & WINDOW_VALID) || (__s32)(((__u32)(a >> 32) - (__u32)(b >> 32)) << 5) > 0;
}

/*
 * What the window's word becomes when the bits of `word` are added to `old`.
 * SEEN: one of them was there before. BEYOND: the window has left them behind.
 */
static __always_inline enum window_result word_add(__u64 old, __u64 word, __u64 *sum)
{
	*sum = word;
	if ((old ^ word) >> 32 == 0) {
		*sum |= old;
		return (__u32)old & (__u32)word ? WINDOW_SEEN : WINDOW_NEW;
	}
	return word_is_newer(word, old) ? WINDOW_NEW : WINDOW_BEYOND;
}

static __always_inline __u64 *word_at(__u64 *window, __u64 word)
{
	return &window[(word >> 32) & (WINDOW_WORDS - 1)];
}

/* For a window that no other CPU writes. */
static __always_inline enum window_result window_add(__u64 *window, __u64 word)
{
	__u64 *at = word_at(window, word), sum;
	enum window_result result = word_add(*at, word, &sum);

	if (result == WINDOW_NEW)
		*at = sum;
	return result;
}

/* For a window that several CPUs write. */
static __always_inline enum window_result window_add_shared(__u64 *window, __u64 word)
{
	__u64 *at = word_at(window, word), old = *(volatile __u64 *)at;

	for (int i = 0; i < EXCHANGE_TRIES; i++) {
		__u64 sum, was;
		enum window_result result = word_add(old, word, &sum);

		if (result != WINDOW_NEW)
			return result;
		was = __sync_val_compare_and_swap(at, old, sum);
		if (was == old)
			return WINDOW_NEW;
		old = was;
	}
	return WINDOW_NEW;
}

/* The highest number in the window; call only with one in it. */
static __always_inline __u32 window_highest(const __u64 *window)
{
	__u64 top = window[0];
	__u32 bits, high = 0;

	for (int i = 1; i < WINDOW_WORDS; i++)
		if (window[i] & WINDOW_VALID && word_is_newer(window[i], top))
			top = window[i];
	bits = (__u32)top;
	for (int shift = 16; shift; shift >>= 1) {
		if (bits >> shift) {
			bits >>= shift;
			high += shift;
		}
	}
	return (__u32)(top >> 32) << 5 | high;
}

/*
 * A number far from the highest. Two such packets in a row with consecutive
 * numbers are a sequence that starts anew; one alone is a very late packet.
 */
__noinline int sequence_far(struct flow_record *record, struct flow_record *home, __u32 number)
{
	__u64 second = window_word(number), first = window_word(number - 1);
	__u32 base;

	if (!record || !home)
		return 0;
	if (!(home->sequence_flags & SEQUENCE_RESTART) || home->restart_number != number ||
	    home->restart_packets + 1 != record->packets) {
		home->restart_number = number + 1;
		home->restart_packets = record->packets;
		home->sequence_flags |= SEQUENCE_RESTART;
		if ((__s32)(number - home->highest) < 0)
			record->reordered++;
		return 0;
	}

	if ((__s32)(number - 1 - home->highest) < 0 && record->reordered)
		record->reordered--;
	base = home->sequence_flags & SEQUENCE_BASE ? home->base : home->lowest - 1;
	home->expected_before += (__u32)(window_highest(home->window) - base);
	home->base = number - 2;
	home->sequence_flags = (home->sequence_flags | SEQUENCE_BASE) & ~SEQUENCE_RESTART;
	for (int i = 0; i < WINDOW_WORDS; i++)
		home->window[i] = 0;
	window_add(home->window, first);
	window_add(home->window, second);
	home->highest = number;
	record->lowest = number - 1;
	record->late_highest = number;
	return 0;
}

/*
 * A packet of the flow with this number (and `segments` - 1 more with the
 * same: each segment of a GSO packet bears the option). `record` is this
 * CPU's, its packets counted already; `home` has the flow's state.
 */
static __always_inline void sequence_update(struct flow_record *record, struct flow_record *home,
					    __u32 generation, __u32 number, __u32 segments)
{
	__s32 ahead = (__s32)(number - home->highest);
	enum window_result result;
	__u32 link;

	if (segments > 1)
		record->duplicates += segments - 1;
	if (ahead < -MAX_MISORDER || ahead > MAX_DROPOUT) {
		sequence_far(record, home, number);
		return;
	}

	link = *(volatile __u32 *)&home->link;
	if (link & LINK_SHARED)
		result = window_add_shared(home->window, window_word(number));
	else
		result = window_add(home->window, window_word(number));
	if (ahead > 0) {
		home->highest = number;
		if (result == WINDOW_SEEN)
			record->duplicates++;
	} else {
		if (result == WINDOW_SEEN)
			record->duplicates++;
		else
			record->reordered++;
		if ((__s32)(number - record->lowest) < 0)
			record->lowest = number;
		if ((__s32)(number - record->late_highest) > 0)
			record->late_highest = number;
	}

	/*
	 * The state was carried on while this packet was in hand (its program
	 * began before the flip): the successor has to know the number too.
	 */
	link = *(volatile __u32 *)&home->link;
	if (link & ENTRY_RECORD_MASK) {
		struct flow_record *successor = record_at(
			link & LINK_SAME ? generation : generation + 1, link & ENTRY_RECORD_MASK);

		if (successor)
			window_add_shared(successor->window, window_word(number));
	}
}

#endif
