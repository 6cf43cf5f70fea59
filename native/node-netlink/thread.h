// Threads of the addon: signals are the main thread's.
#ifndef NODE_NETLINK_THREAD_H
#define NODE_NETLINK_THREAD_H

#include <pthread.h>

/* Starts a joinable thread that no signal interrupts: 0 or an errno. */
int start_thread(pthread_t *thread, void *(*main)(void *), void *argument);

#endif
