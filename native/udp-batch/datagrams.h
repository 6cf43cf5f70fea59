// Sending a buffer as datagrams of one length, the last of which may be shorter.
#ifndef UDP_BATCH_DATAGRAMS_H
#define UDP_BATCH_DATAGRAMS_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

/* Octets of a datagram, and of all that one UDP_SEGMENT call takes, over IPv4. */
inline constexpr size_t MAX_OCTETS = 65507;

/*
 * Both return the octets that the kernel took, whole datagrams from the first
 * on, or -1 with errno set when it took none.
 */

/* By the kernel's segmentation offload: all that one call takes, or none. */
ssize_t send_segmented(int fd, uint8_t *data, size_t length, size_t segment);

/* Datagram by datagram, in one call: as many as the kernel takes. */
ssize_t send_messages(int fd, uint8_t *data, size_t length, size_t segment);

#endif
