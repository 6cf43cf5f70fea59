// A thread's network namespace and CPU affinity, changed for one call.
#ifndef BPF_LOADER_THREAD_STATE_H
#define BPF_LOADER_THREAD_STATE_H

#include <sched.h>

/* A descriptor of the calling thread's own network namespace; -1 and errno. */
int own_netns(void);

/*
 * Moves the thread back to the namespace `fd`. Ends the process when that
 * fails: everything the process did from then on would happen in the wrong
 * network.
 */
void return_to_netns(int fd);

/* Enters a network namespace until destroyed. */
class NetnsScope {
public:
	NetnsScope() = default;
	~NetnsScope();
	NetnsScope(const NetnsScope &) = delete;
	NetnsScope &operator=(const NetnsScope &) = delete;
	/* 0 or an errno; nothing is entered when fd < 0. */
	int enter(int fd);

private:
	int before = -1;
};

/* Keeps the thread on one CPU until destroyed. */
class AffinityScope {
public:
	AffinityScope() = default;
	~AffinityScope();
	AffinityScope(const AffinityScope &) = delete;
	AffinityScope &operator=(const AffinityScope &) = delete;
	/* 0 or an errno; nothing is changed when cpu < 0. */
	int pin(int cpu);

private:
	cpu_set_t before;
	bool pinned = false;
};

#endif
