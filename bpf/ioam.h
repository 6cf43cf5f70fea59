/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Wire formats of IOAM in IPv6: RFC 9486 (options), RFC 9326 (Direct Exporting). */
#ifndef IOAMCTL_IOAM_H
#define IOAMCTL_IOAM_H

#define OPTION_PAD1 0
#define OPTION_IOAM_FIXED 0x11 /* data does not change en route */
#define OPTION_IOAM_MUTABLE 0x31 /* data may change */

#define IOAM_TRACE_PREALLOCATED 0
#define IOAM_DIRECT_EXPORT 4

/* RFC 9486, section 4. The option length counts from `reserved`. */
struct ioam_option {
	__u8 type;
	__u8 length;
	__u8 reserved;
	__u8 ioam_type;
};

/* RFC 9326, section 3.2; then 4 octets a set extension flag, from bit 0 on. */
struct direct_export {
	__be16 namespace_id;
	__u8 flags;
	__u8 extension_flags;
	__u8 trace_type[3];
	__u8 reserved;
};

#define DEX_FLOW_ID 0x80
#define DEX_SEQUENCE_NUMBER 0x40

#endif
