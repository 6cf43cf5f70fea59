// Multicast messages on Node's event loop: batches of many, taken and given back.
#include "receiver.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "failure.h"

Napi::Function Receiver::define(Napi::Env env)
{
	return DefineClass(env, "Receiver",
			   {
				   InstanceMethod<&Receiver::memory>("memory"),
				   InstanceMethod<&Receiver::take>("take"),
				   InstanceMethod<&Receiver::give_back>("giveBack"),
				   InstanceMethod<&Receiver::counters>("counters"),
				   InstanceMethod<&Receiver::leave>("leave"),
				   InstanceMethod<&Receiver::close>("close"),
			   });
}

/*
 * new Receiver(netns or -1, [group…], octets of the kernel's buffer, octets of
 * our own, callback(), keepAlive). The callback says that there is something to
 * take; it is not called again before take() has found nothing.
 */
Receiver::Receiver(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Receiver>(info)
{
	Napi::Env env = info.Env();
	const char *call = "";

	int error = open(info, &call);
	if (error) {
		stop();
		throw_errno(env, error, call);
		return;
	}
	/* As long as it is open it calls back, whether or not JavaScript still holds it. */
	Ref();
}

Receiver::~Receiver()
{
	stop();
}

int Receiver::open(const Napi::CallbackInfo &info, const char **call)
{
	size_t own = info[3].ToNumber().Int64Value();

	*call = "mmap";
	arena = Arena::create(std::max<size_t>(2, own / BATCH_OCTETS));
	if (!arena)
		return ENOMEM;
	queue = std::make_unique<BatchQueue>(arena);
	int error = set_up(info, call);
	if (error)
		return error;
	callback = Napi::Persistent(info[4].As<Napi::Function>());
	context = std::make_unique<Napi::AsyncContext>(info.Env(), "ioamctl.netlink");
	*call = "uv_async_init";
	error = watch_events(info.Env(), info[5].ToBoolean());
	if (error)
		return error;
	reader = std::make_unique<Reader>(socket, *queue,
					  [async = &watch->async] { uv_async_send(async); });
	return reader->start(call);
}

/* The socket: its buffer first, so that nothing comes in before it is large. */
int Receiver::set_up(const Napi::CallbackInfo &info, const char **call)
{
	Napi::Array wanted_groups = info[1].As<Napi::Array>();
	int wanted = info[2].ToNumber().Int32Value() / 2;
	int on = 1;
	socklen_t size = sizeof(receive_buffer);

	int error = socket.open(info[0].ToNumber().Int32Value(), SOCK_NONBLOCK, call);
	if (error)
		return error;
	/* The kernel takes twice what it is told. Without CAP_NET_ADMIN: up to rmem_max. */
	*call = "setsockopt";
	if (setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof(wanted)) &&
	    setsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &wanted, sizeof(wanted)))
		return errno;
	getsockopt(socket.fd(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, &size);
	/* After an overrun the kernel would go on dropping until the buffer is empty. */
	if (mnl_socket_setsockopt(socket.get(), NETLINK_NO_ENOBUFS, &on, sizeof(on)))
		return errno;
	*call = "NETLINK_ADD_MEMBERSHIP";
	for (uint32_t i = 0; i < wanted_groups.Length(); i++) {
		int group = Napi::Value(wanted_groups[i]).ToNumber().Int32Value();
		if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)))
			return errno;
		groups.push_back(group);
	}
	return 0;
}

int Receiver::watch_events(Napi::Env env, bool keep_alive)
{
	uv_loop_t *loop;

	if (napi_get_uv_event_loop(env, &loop) != napi_ok)
		return ENOTSUP;
	watch = new Watch();
	watch->receiver = this;
	int error = uv_async_init(loop, &watch->async, on_event);
	if (error) {
		delete watch;
		watch = nullptr;
		return -error;
	}
	watch->async.data = watch;
	napi_add_async_cleanup_hook(env, on_cleanup, watch, &watch->cleanup);
	if (!keep_alive)
		uv_unref(reinterpret_cast<uv_handle_t *>(&watch->async));
	return 0;
}

/* The kernel waits for senders that are at it: when this returns, nothing more comes. */
void Receiver::leave_groups()
{
	for (int group : groups)
		mnl_socket_setsockopt(socket.get(), NETLINK_DROP_MEMBERSHIP, &group, sizeof(group));
	groups.clear();
}

/* leave(): nothing more comes; what came is taken all the same, and drained says when it can be */
void Receiver::leave(const Napi::CallbackInfo &)
{
	if (!watch)
		return;
	leave_groups();
	reader->finish();
}

/* Ends the thread, then the watching; libuv gives the memory back on its next turn. */
void Receiver::stop()
{
	if (reader) {
		leave_groups();
		reader->stop();
		reader->discard();
		reader->read_drops();
	}
	socket.close();
	if (!watch)
		return;
	watch->receiver = nullptr;
	uv_close(reinterpret_cast<uv_handle_t *>(&watch->async), [](uv_handle_t *handle) {
		Watch *watch = static_cast<Watch *>(handle->data);
		napi_remove_async_cleanup_hook(watch->cleanup);
		delete watch;
	});
	watch = nullptr;
}

void Receiver::close(const Napi::CallbackInfo &)
{
	if (!watch)
		return;
	stop();
	Unref();
}

/* The environment ends with the receiver still open. */
void Receiver::on_cleanup(napi_async_cleanup_hook_handle, void *data)
{
	Watch *watch = static_cast<Watch *>(data);

	if (watch->receiver)
		watch->receiver->stop();
}

void Receiver::on_event(uv_async_t *async)
{
	Watch *watch = static_cast<Watch *>(async->data);

	if (watch->receiver)
		watch->receiver->deliver();
}

void Receiver::deliver()
{
	Napi::Env env = Env();
	Napi::HandleScope scope(env);
	/* The callback may close the receiver: it must not be collected before we are through. */
	[[maybe_unused]] Napi::Object self = Value();

	callback.MakeCallback(env.Global(), {}, *context);
	if (env.IsExceptionPending()) {
		Napi::Error error = env.GetAndClearPendingException();
		napi_fatal_exception(env, error.Value());
	}
}

static Napi::Value as_array_buffer(Napi::Env env, const std::shared_ptr<Arena> &arena, void *data,
				   size_t size)
{
	auto *owner = new std::shared_ptr<Arena>(arena);
	napi_value buffer;

	napi_status status = napi_create_external_arraybuffer(
		env, data, size,
		[](napi_env, void *, void *hint) {
			delete static_cast<std::shared_ptr<Arena> *>(hint);
		},
		owner, &buffer);
	if (status != napi_ok) {
		delete owner;
		return throw_errno(env, ENOTSUP, "napi_create_external_arraybuffer");
	}
	return Napi::Value(env, buffer);
}

/*
 * memory(): { octets, index, batchMessages }, to be called once. Batch n has
 * its messages in octets, and from index[n × batchMessages × 2] on for each its
 * offset in octets and its length.
 */
Napi::Value Receiver::memory(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Object result = Napi::Object::New(env);

	result.Set("octets", as_array_buffer(env, arena, arena->octets, arena->octets_size()));
	result.Set("index", as_array_buffer(env, arena, arena->index, arena->index_size()));
	result.Set("batchMessages", Napi::Number::New(env, BATCH_MESSAGES));
	return result;
}

/* take(): { number, count, drops } of the oldest batch, or undefined; giveBack(number) frees it */
Napi::Value Receiver::take(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Batch batch;

	if (!queue->take(&batch))
		return env.Undefined();
	Napi::Object result = Napi::Object::New(env);
	result.Set("number", Napi::Number::New(env, batch.number));
	result.Set("count", Napi::Number::New(env, batch.count));
	result.Set("drops", Napi::Number::New(env, batch.drops));
	return result;
}

void Receiver::give_back(const Napi::CallbackInfo &info)
{
	if (queue->give_back(info[0].ToNumber().Uint32Value()) && watch)
		reader->go_on();
}

/* counters(): what was received and lost until now, and the errno that ended the receiving */
Napi::Value Receiver::counters(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Object result = Napi::Object::New(env);
	auto set = [&](const char *name, double value) {
		result.Set(name, Napi::Number::New(env, value));
	};

	if (watch)
		reader->read_drops();
	set("messages", reader->counters.messages);
	set("drops", reader->counters.drops);
	set("overruns", reader->counters.overruns);
	set("oversized", reader->counters.oversized);
	set("foreign", reader->counters.foreign);
	set("stalls", reader->counters.stalls);
	set("unread", reader->counters.unread);
	set("receiveBuffer", receive_buffer);
	set("failure", reader->failure);
	result.Set("drained", Napi::Boolean::New(env, reader->drained));
	return result;
}
