// Threads of the addon: signals are the main thread's.
#include "thread.h"

#include <signal.h>

int start_thread(pthread_t *thread, void *(*main)(void *), void *argument)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(thread, nullptr, main, argument);
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	return error;
}
