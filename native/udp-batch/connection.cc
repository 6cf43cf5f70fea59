// A connected UDP socket, and what the kernel knows of it.
#include "connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

/*
 * Forbids fragments (RFC 7011 section 10.3.3): what is longer than the path takes
 * fails with EMSGSIZE, here and when a router has said so. An IPv6 socket may
 * have a peer of IPv4 (::ffff:192.0.2.1), hence both.
 */
static int forbid_fragments(int fd, int family)
{
	int v4 = IP_PMTUDISC_DO;
	int v6 = IPV6_PMTUDISC_DO;

	if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4)))
		return -1;
	if (family != AF_INET6)
		return 0;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

static int set_up(int fd, int family, const struct addrinfo *peer, int send_buffer,
		  const char **call)
{
	*call = "setsockopt";
	if (send_buffer > 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)))
		return errno;
	if (forbid_fragments(fd, family))
		return errno;
	*call = "connect";
	return connect(fd, peer->ai_addr, peer->ai_addrlen) ? errno : 0;
}

int connect_datagrams(int family, const std::string &address, int port, int send_buffer, int *fd,
		      const char **call)
{
	struct addrinfo hints = {};
	struct addrinfo *found = nullptr;

	hints.ai_family = family;
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	*call = "getaddrinfo";
	if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found))
		return EINVAL;
	std::unique_ptr<struct addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);

	*call = "socket";
	*fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return errno;
	int error = set_up(*fd, family, found, send_buffer, call);
	if (error) {
		close(*fd);
		*fd = -1;
	}
	return error;
}

bool can_segment(int fd)
{
	int value;
	socklen_t size = sizeof(value);

	return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &value, &size) == 0;
}

int path_mtu_of(int fd, int family)
{
	int mtu = 0;
	socklen_t size = sizeof(mtu);
	bool v6 = family == AF_INET6;

	if (getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &size))
		return 0;
	return mtu;
}
