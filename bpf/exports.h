/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets on their way to a collector are not metered (RFC 9326, section 6):
 * their records would be exported in packets that are metered, and so on.
 */
#ifndef IOAMCTL_EXPORTS_H
#define IOAMCTL_EXPORTS_H

#include "packet.h"

/* A section and so a map of its own, which user space writes at any time. */
volatile struct exports exports SEC(".data.exports");

/*
 * Whether a packet whose headers were read goes to one of them; of a tunnelled
 * packet the inner addresses say so. Not static: verified once, by itself.
 */
__noinline int goes_to_collector(const struct packet *p)
{
	__u32 set = exports.current - 1, count;
	__u64 rest;

	if (!p || set >= EXPORT_SETS)
		return 0;
	count = exports.sets[set].count;
	rest = p->ports >> 16 | (__u64)p->protocol << 16 |
	       (__u64)(p->flags & (FLOW_PORTS | FLOW_IPV4)) << 24;
	for (__u32 i = 0; i < EXPORT_DESTINATIONS && i < count; i++) {
		const volatile struct export_destination *d = &exports.sets[set].destinations[i];

		if (d->rest == rest && d->address[0] == p->destination[0] &&
		    d->address[1] == p->destination[1])
			return 1;
	}
	return 0;
}

#endif
