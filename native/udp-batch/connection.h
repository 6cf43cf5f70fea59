// A connected UDP socket, and what the kernel knows of it.
#ifndef UDP_BATCH_CONNECTION_H
#define UDP_BATCH_CONNECTION_H

#include <string>

/*
 * Connects a new socket that never blocks, and sends no fragments, to a numeric
 * address; `send_buffer` in octets, 0: the system's. Returns 0, or an errno with
 * the name of the `call` that failed and no socket open.
 */
int connect_datagrams(int family, const std::string &address, int port, int send_buffer, int *fd,
		      const char **call);

/* Whether the kernel cuts one large send into datagrams (UDP_SEGMENT). */
bool can_segment(int fd);

/* Octets of an IP packet to the peer, as the kernel knows it; 0: unknown. */
int path_mtu_of(int fd, int family);

#endif
