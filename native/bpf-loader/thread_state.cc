// A thread's network namespace and CPU affinity, changed for one call.
#include "thread_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

int own_netns(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void return_to_netns(int fd)
{
	if (!setns(fd, CLONE_NEWNET))
		return;
	fprintf(stderr, "ioamctl: cannot return to the own network namespace: %s\n",
		strerror(errno));
	abort();
}

int NetnsScope::enter(int fd)
{
	if (fd < 0)
		return 0;
	int own = own_netns();
	if (own < 0)
		return errno;
	if (setns(fd, CLONE_NEWNET)) {
		int error = errno;
		close(own);
		return error;
	}
	before = own;
	return 0;
}

NetnsScope::~NetnsScope()
{
	if (before < 0)
		return;
	return_to_netns(before);
	close(before);
}

int AffinityScope::pin(int cpu)
{
	cpu_set_t one;

	if (cpu < 0)
		return 0;
	if (cpu >= CPU_SETSIZE)
		return EINVAL;
	if (sched_getaffinity(0, sizeof(before), &before))
		return errno;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return errno;
	pinned = true;
	return 0;
}

AffinityScope::~AffinityScope()
{
	if (pinned)
		sched_setaffinity(0, sizeof(before), &before);
}
