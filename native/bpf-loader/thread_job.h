// Work that may take long, on a thread of its own, resolving a promise.
#ifndef BPF_LOADER_THREAD_JOB_H
#define BPF_LOADER_THREAD_JOB_H

#include <napi.h>

#include <memory>

/*
 * Not libuv's pool: a job may wait for seconds (a lock, a grace period, a
 * million repeats) or change its thread (network namespace, CPU affinity), and
 * Node's own file operations must not wait behind it. The thread ends with
 * the job, so that nothing it changed lives on.
 */
class ThreadJob {
public:
	virtual ~ThreadJob() = default;
	/* On the thread: 0 or an errno. Must not touch JavaScript. */
	virtual int run() = 0;
	/* What is said to have failed when run() returns an errno. */
	virtual const char *call() const = 0;
	/* On the event loop, after run() returned 0. */
	virtual Napi::Value result(Napi::Env env) = 0;

	/* Starts the thread and returns the promise. */
	static Napi::Value start(Napi::Env env, std::unique_ptr<ThreadJob> job);
};

#endif
