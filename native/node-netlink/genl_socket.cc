// Generic netlink sockets, made in any network namespace.
#include "genl_socket.h"

#include <linux/netlink.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>

#include "thread.h"

/* What a thread that enters a namespace for good is to make there. */
struct Making {
	int netns;
	int flags;
	struct mnl_socket *socket;
	int error;
	const char *call;
};

static void make(Making *making)
{
	making->call = "socket";
	making->socket = mnl_socket_open2(NETLINK_GENERIC, making->flags | SOCK_CLOEXEC);
	making->error = making->socket ? 0 : errno;
}

static void *enter_and_make(void *argument)
{
	Making *making = static_cast<Making *>(argument);

	making->call = "setns";
	if (setns(making->netns, CLONE_NEWNET))
		making->error = errno;
	else
		make(making);
	return nullptr;
}

GenlSocket::~GenlSocket()
{
	close();
}

/* A socket stays where it was made; the thread ends there, so that no other is ever elsewhere. */
int GenlSocket::open(int netns, int flags, const char **call)
{
	Making making = { netns, flags, nullptr, 0, "" };
	pthread_t thread;

	if (netns < 0) {
		make(&making);
	} else {
		*call = "pthread_create";
		int error = start_thread(&thread, enter_and_make, &making);
		if (error)
			return error;
		pthread_join(thread, nullptr);
	}
	*call = making.call;
	if (making.error)
		return making.error;
	socket = making.socket;
	*call = "bind";
	return mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? errno : 0;
}

void GenlSocket::close()
{
	if (socket)
		mnl_socket_close(socket);
	socket = nullptr;
}
