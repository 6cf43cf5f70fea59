// Generic netlink sockets, made in any network namespace.
#ifndef NODE_NETLINK_GENL_SOCKET_H
#define NODE_NETLINK_GENL_SOCKET_H

#include <libmnl/libmnl.h>

/* A netlink socket that is closed with its owner. */
class GenlSocket {
public:
	GenlSocket() = default;
	~GenlSocket();
	GenlSocket(const GenlSocket &) = delete;
	GenlSocket &operator=(const GenlSocket &) = delete;

	/*
	 * Opens and binds one in the network namespace `netns`, a descriptor; the
	 * caller's own when < 0. 0, or an errno with *call naming what failed.
	 */
	int open(int netns, int flags, const char **call);
	void close();

	struct mnl_socket *get() const
	{
		return socket;
	}
	int fd() const
	{
		return socket ? mnl_socket_get_fd(socket) : -1;
	}

private:
	struct mnl_socket *socket = nullptr;
};

#endif
