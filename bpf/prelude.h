/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* System headers, and what older ones lack. */
#ifndef IOAMCTL_PRELUDE_H
#define IOAMCTL_PRELUDE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Linux 6.6; Debian 12's headers are of 6.1. */
#define TCX_NEXT (-1)

#endif
