// A connected UDP socket that sends many datagrams of one length in one system call.
#include <napi.h>
#include <uv.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "connection.h"
#include "datagrams.h"

static void throw_errno(Napi::Env env, int error, const char *call)
{
	Napi::Error failure = Napi::Error::New(env, std::string(call) + ": " + strerror(error));

	failure.Set("errno", Napi::Number::New(env, error));
	failure.Set("syscall", Napi::String::New(env, call));
	failure.ThrowAsJavaScriptException();
}

class Socket : public Napi::ObjectWrap<Socket> {
public:
	static Napi::Function define(Napi::Env env);
	explicit Socket(const Napi::CallbackInfo &info);
	~Socket() override;

private:
	/* A wait for room in the socket; outlives the object until libuv lets go of it. */
	struct Wait {
		uv_poll_t poll;
		Socket *socket;
		napi_deferred deferred = nullptr;
		Napi::Reference<Napi::Promise> promise;
		Napi::AsyncContext context;
		napi_async_cleanup_hook_handle cleanup = nullptr;

		Wait(Napi::Env env, Socket *socket) : socket(socket), context(env, "ioamctl.udp")
		{
			poll.data = this;
		}
	};

	Napi::Value send(const Napi::CallbackInfo &info);
	Napi::Value path_mtu(const Napi::CallbackInfo &info);
	Napi::Value writable(const Napi::CallbackInfo &info);
	Napi::Value segmentation(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	void shut();
	void end_wait();
	static void release(Wait *wait);
	static void on_writable(uv_poll_t *poll, int status, int events);
	static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data);

	int fd = -1;
	int family;
	bool segments = false;
	Wait *wait = nullptr;
};

Napi::Function Socket::define(Napi::Env env)
{
	return DefineClass(env, "Socket",
			   {
				   InstanceMethod<&Socket::send>("send"),
				   InstanceMethod<&Socket::path_mtu>("pathMtu"),
				   InstanceMethod<&Socket::writable>("writable"),
				   InstanceMethod<&Socket::close>("close"),
				   InstanceAccessor<&Socket::segmentation>("gso"),
			   });
}

/* new Socket(numeric address, port, 4 or 6, send buffer in octets or 0) */
Socket::Socket(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Socket>(info)
{
	std::string address = info[0].ToString();
	int port = info[1].ToNumber().Int32Value();
	const char *call = "";

	family = info[2].ToNumber().Int32Value() == 6 ? AF_INET6 : AF_INET;
	int error = connect_datagrams(family, address, port, info[3].ToNumber().Int32Value(), &fd,
				      &call);
	if (error)
		throw_errno(info.Env(), error, call);
	else
		segments = can_segment(fd);
}

Socket::~Socket()
{
	shut();
}

/*
 * send(buffer, offset, length, segment): octets taken; 0 when the socket is
 * full; a negated errno when nothing was taken. The datagrams are `segment`
 * octets long, the last may be shorter.
 */
Napi::Value Socket::send(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Uint8Array buffer = info[0].As<Napi::Uint8Array>();
	size_t offset = info[1].As<Napi::Number>().Int64Value();
	size_t length = info[2].As<Napi::Number>().Int64Value();
	size_t segment = info[3].As<Napi::Number>().Int64Value();
	ssize_t taken;

	if (fd < 0)
		return Napi::Number::New(env, -EBADF);
	if (!info[0].IsTypedArray() || segment == 0 || segment > MAX_OCTETS || length == 0 ||
	    offset > buffer.ByteLength() || length > buffer.ByteLength() - offset)
		return Napi::Number::New(env, -EINVAL);

	taken = send_datagrams(fd, &segments, buffer.Data() + offset, length, segment);
	if (taken < 0)
		taken = errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	return Napi::Number::New(env, taken);
}

/* pathMtu(): octets of an IP packet to the peer, as the kernel knows it; 0: unknown */
Napi::Value Socket::path_mtu(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), path_mtu_of(fd, family));
}

Napi::Value Socket::segmentation(const Napi::CallbackInfo &info)
{
	return Napi::Boolean::New(info.Env(), segments);
}

/* writable(): a promise of room in the socket, or of an error that the next send will tell */
Napi::Value Socket::writable(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	uv_loop_t *loop;

	if (wait)
		return wait->promise.Value();
	Wait *fresh = new Wait(env, this);
	int error = fd < 0 ? EBADF : napi_get_uv_event_loop(env, &loop) != napi_ok ? ENOTSUP : 0;
	if (!error)
		error = -uv_poll_init(loop, &fresh->poll, fd);
	if (error) {
		delete fresh;
		throw_errno(env, error, "uv_poll_init");
		return env.Undefined();
	}
	napi_value promise;
	napi_create_promise(env, &fresh->deferred, &promise);
	fresh->promise = Napi::Persistent(Napi::Promise(env, promise));
	wait = fresh;
	napi_add_async_cleanup_hook(env, on_cleanup, wait, &wait->cleanup);
	/* The socket must not be collected while somebody waits for it. */
	Ref();
	uv_poll_start(&wait->poll, UV_WRITABLE, on_writable);
	return wait->promise.Value();
}

void Socket::on_writable(uv_poll_t *poll, int, int)
{
	Socket *socket = static_cast<Wait *>(poll->data)->socket;

	if (socket)
		socket->end_wait();
}

/*
 * Settles the promise. Where the environment is ending, no JavaScript runs any
 * more and the failure to settle is of no account.
 */
void Socket::end_wait()
{
	Napi::Env env = Env();
	Napi::HandleScope scope(env);
	Wait *ended = wait;
	napi_callback_scope callback;

	/* First, and freed on the loop's next turn: what follows may close the descriptor. */
	wait = nullptr;
	release(ended);
	if (napi_open_callback_scope(env, Napi::Object::New(env), ended->context, &callback) ==
	    napi_ok) {
		napi_resolve_deferred(env, ended->deferred, env.Undefined());
		napi_close_callback_scope(env, callback);
	}
	Unref();
}

void Socket::release(Wait *wait)
{
	wait->socket = nullptr;
	uv_poll_stop(&wait->poll);
	uv_close(reinterpret_cast<uv_handle_t *>(&wait->poll), [](uv_handle_t *handle) {
		Wait *wait = static_cast<Wait *>(handle->data);
		napi_remove_async_cleanup_hook(wait->cleanup);
		delete wait;
	});
}

/* The environment ends while somebody waits. */
void Socket::on_cleanup(napi_async_cleanup_hook_handle, void *data)
{
	Wait *wait = static_cast<Wait *>(data);

	if (wait->socket) {
		wait->socket->wait = nullptr;
		release(wait);
	}
}

void Socket::close(const Napi::CallbackInfo &)
{
	if (wait)
		end_wait();
	shut();
}

void Socket::shut()
{
	if (wait) {
		release(wait);
		wait = nullptr;
	}
	if (fd >= 0)
		::close(fd);
	fd = -1;
}

static Napi::Object init(Napi::Env env, Napi::Object exports)
{
	exports.Set("Socket", Socket::define(env));
	return exports;
}

NODE_API_MODULE(udp_batch, init)
