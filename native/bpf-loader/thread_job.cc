// Work that may take long, on a thread of its own, resolving a promise.
#include "thread_job.h"

#include <pthread.h>
#include <signal.h>

#include <cerrno>
#include <mutex>

#include "failure.h"

/* Whether there is still an environment to report to; outlives the job on both sides. */
struct Gate {
	std::mutex mutex;
	bool closed = false;
};

/* A job under way. Deleted by settle(), or by its thread when there is nobody to settle with. */
struct ThreadJobRunner {
	ThreadJobRunner(Napi::Env env, std::unique_ptr<ThreadJob> job)
		: job(std::move(job)), deferred(env)
	{
	}

	static void *main(void *self);
	static void settle(napi_env env, napi_value, void *, void *self);
	static void abandon(void *self);

	std::unique_ptr<ThreadJob> job;
	Napi::Promise::Deferred deferred;
	std::shared_ptr<Gate> gate = std::make_shared<Gate>();
	napi_threadsafe_function done = nullptr;
	int error = 0;
};

/* On the job's thread. */
void *ThreadJobRunner::main(void *argument)
{
	ThreadJobRunner *self = static_cast<ThreadJobRunner *>(argument);
	std::shared_ptr<Gate> gate = self->gate;
	napi_threadsafe_function done = self->done;

	self->error = self->job->run();
	/* Node frees `done` with the environment, though threads still hold it: hence the gate. */
	std::lock_guard<std::mutex> lock(gate->mutex);
	if (gate->closed) {
		delete self;
		return nullptr;
	}
	if (napi_call_threadsafe_function(done, self, napi_tsfn_blocking) != napi_ok) {
		delete self;
		return nullptr;
	}
	napi_release_threadsafe_function(done, napi_tsfn_release);
	return nullptr;
}

/* On the event loop; without an environment when that ends with the result still queued. */
void ThreadJobRunner::settle(napi_env raw, napi_value, void *, void *data)
{
	std::unique_ptr<ThreadJobRunner> self(static_cast<ThreadJobRunner *>(data));

	if (!raw)
		return;
	Napi::Env env(raw);
	Napi::HandleScope scope(env);
	napi_remove_env_cleanup_hook(env, abandon, self.get());
	if (self->error)
		self->deferred.Reject(make_error(env, self->error, self->job->call()).Value());
	else
		self->deferred.Resolve(self->job->result(env));
}

/* The environment ends with the thread still at work, or its result queued. */
void ThreadJobRunner::abandon(void *argument)
{
	ThreadJobRunner *self = static_cast<ThreadJobRunner *>(argument);
	std::shared_ptr<Gate> gate = self->gate;
	std::lock_guard<std::mutex> lock(gate->mutex);

	gate->closed = true;
}

static int start_detached(void *(*main)(void *), void *argument)
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	int error;

	error = pthread_attr_init(&attributes);
	if (error)
		return error;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	/* Signals are the main thread's: here they would only interrupt the system call. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread, &attributes, main, argument);
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	pthread_attr_destroy(&attributes);
	return error;
}

Napi::Value ThreadJob::start(Napi::Env env, std::unique_ptr<ThreadJob> job)
{
	auto runner = std::make_unique<ThreadJobRunner>(env, std::move(job));
	Napi::Promise promise = runner->deferred.Promise();
	napi_value name = Napi::String::New(env, "ioamctl.job");

	if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
					    nullptr, ThreadJobRunner::settle,
					    &runner->done) != napi_ok)
		return throw_errno(env, ENOMEM, "napi_create_threadsafe_function");
	/* After the function's own, and so run before it. */
	napi_add_env_cleanup_hook(env, ThreadJobRunner::abandon, runner.get());
	int error = start_detached(ThreadJobRunner::main, runner.get());
	if (error) {
		napi_remove_env_cleanup_hook(env, ThreadJobRunner::abandon, runner.get());
		napi_release_threadsafe_function(runner->done, napi_tsfn_abort);
		return throw_errno(env, error, "pthread_create");
	}
	runner.release();
	return promise;
}
