// Sending a buffer as datagrams of one length, the last of which may be shorter.
#ifndef UDP_BATCH_DATAGRAMS_H
#define UDP_BATCH_DATAGRAMS_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

/* Octets of a datagram, and of all that one UDP_SEGMENT call takes, over IPv4. */
inline constexpr size_t MAX_OCTETS = 65507;

/* Datagrams that one call sends at most: what UDP_SEGMENT takes before Linux 6.9. */
inline constexpr size_t MAX_DATAGRAMS = 64;

/*
 * Sends in one system call as many datagrams as it can take: by the kernel's
 * segmentation offload where `segments` says that there is one (false when the
 * route turns out not to have it), else by sendmmsg. Returns the octets that the
 * kernel took, whole datagrams from the first on, or -1 with errno set when it
 * took none.
 */
ssize_t send_datagrams(int fd, bool *segments, uint8_t *data, size_t length, size_t segment);

#endif
