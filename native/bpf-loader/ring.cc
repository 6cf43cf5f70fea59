// A BPF ring buffer on Node's event loop: one callback a wake-up, never one a record.
#include "ring.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "failure.h"
#include "fd.h"
#include "print.h"

/* A batch ends here though more be waiting: the event loop has other work. */
static const size_t BATCH_LIMIT = 1 << 20;

Napi::Function Ring::define(Napi::Env env)
{
	return DefineClass(env, "Ring",
			   {
				   InstanceMethod<&Ring::drain>("drain"),
				   InstanceMethod<&Ring::close>("close"),
			   });
}

/* new Ring(mapFd, callback(batch | undefined, errno), keepAlive) */
Ring::Ring(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Ring>(info)
{
	PrintCapture capture;
	Napi::Env env = info.Env();
	uv_loop_t *loop;

	/* Our own: the event loop loses sight of the ring when its last descriptor is closed. */
	map_fd = duplicate_fd(int_argument(info, 0));
	if (map_fd < 0) {
		throw_errno(env, errno, "fcntl");
		return;
	}
	ring = ring_buffer__new(map_fd, on_record, this, nullptr);
	if (!ring) {
		throw_errno(env, errno, "ring_buffer__new", capture.text);
		return;
	}
	callback = Napi::Persistent(info[1].As<Napi::Function>());
	context = std::make_unique<Napi::AsyncContext>(env, "ioamctl.ring");
	if (napi_get_uv_event_loop(env, &loop) != napi_ok) {
		throw_errno(env, ENOTSUP, "napi_get_uv_event_loop");
		return;
	}
	watch = new Watch();
	watch->ring = this;
	int error = uv_poll_init(loop, &watch->poll, ring_buffer__epoll_fd(ring));
	if (error) {
		delete watch;
		watch = nullptr;
		throw_errno(env, -error, "uv_poll_init");
		return;
	}
	watch->poll.data = watch;
	napi_add_async_cleanup_hook(env, on_cleanup, watch, &watch->cleanup);
	if (!info[2].ToBoolean())
		uv_unref(reinterpret_cast<uv_handle_t *>(&watch->poll));
	uv_poll_start(&watch->poll, UV_READABLE, on_readable);
	/* As long as it is open it calls back, whether or not JavaScript still holds it. */
	Ref();
}

Ring::~Ring()
{
	stop();
}

/* Ends the watching; libuv gives the memory back on its next turn. */
void Ring::stop()
{
	if (watch) {
		watch->ring = nullptr;
		uv_poll_stop(&watch->poll);
		uv_close(reinterpret_cast<uv_handle_t *>(&watch->poll), [](uv_handle_t *handle) {
			Watch *watch = static_cast<Watch *>(handle->data);
			napi_remove_async_cleanup_hook(watch->cleanup);
			delete watch;
		});
		watch = nullptr;
	}
	ring_buffer__free(ring);
	ring = nullptr;
	if (map_fd >= 0)
		::close(map_fd);
	map_fd = -1;
}

void Ring::close(const Napi::CallbackInfo &)
{
	if (!watch)
		return;
	stop();
	Unref();
}

/* The environment ends with the ring still open. */
void Ring::on_cleanup(napi_async_cleanup_hook_handle, void *data)
{
	Watch *watch = static_cast<Watch *>(data);

	if (watch->ring)
		watch->ring->stop();
}

/* u32 length, u32 0, the record, padding to a multiple of 8 */
int Ring::on_record(void *self, void *data, size_t size)
{
	std::vector<uint8_t> &batch = static_cast<Ring *>(self)->batch;
	size_t start = batch.size();
	uint32_t length = size;

	batch.resize(start + 8 + (size + 7) / 8 * 8);
	memcpy(batch.data() + start, &length, sizeof(length));
	memcpy(batch.data() + start + 8, data, size);
	/* An error stops the reading behind this record. */
	return batch.size() < BATCH_LIMIT ? 0 : -ECANCELED;
}

/* All that is there, up to BATCH_LIMIT, as one Buffer; undefined when there is nothing. */
Napi::Value Ring::take()
{
	Napi::Env env = Env();

	batch.clear();
	ring_buffer__consume(ring);
	if (batch.empty())
		return env.Undefined();
	return Napi::Buffer<uint8_t>::Copy(env, batch.data(), batch.size());
}

/* drain(): what waits without having woken anybody (BPF_RB_NO_WAKEUP) */
Napi::Value Ring::drain(const Napi::CallbackInfo &info)
{
	if (!ring)
		return info.Env().Undefined();
	return take();
}

void Ring::deliver(int status)
{
	Napi::Env env = Env();
	Napi::HandleScope scope(env);
	/* The callback may close the ring: it must not be collected before we are through. */
	[[maybe_unused]] Napi::Object self = Value();

	if (status < 0) {
		callback.MakeCallback(env.Global(),
				      { env.Undefined(), Napi::Number::New(env, -status) },
				      *context);
	} else {
		Napi::Value batch = take();
		if (batch.IsUndefined())
			return;
		callback.MakeCallback(env.Global(), { batch, Napi::Number::New(env, 0) }, *context);
	}
	if (env.IsExceptionPending()) {
		Napi::Error error = env.GetAndClearPendingException();
		napi_fatal_exception(env, error.Value());
	}
}

void Ring::on_readable(uv_poll_t *poll, int status, int)
{
	Watch *watch = static_cast<Watch *>(poll->data);

	if (!watch->ring)
		return;
	/* libuv stops polling on an error; nothing must go deaf because of one. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_readable);
	watch->ring->deliver(status);
}
