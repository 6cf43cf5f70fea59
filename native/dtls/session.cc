// A DTLS session with a collector on Node's event loop, as JavaScript sees it.
#include "session.h"

#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "context.h"
#include "failure.h"

using State = Channel::State;

Napi::Function Session::define(Napi::Env env)
{
	return DefineClass(env, "Session",
			   {
				   InstanceMethod<&Session::send>("send"),
				   InstanceMethod<&Session::await_room>("awaitRoom"),
				   InstanceMethod<&Session::peer_certificate>("peerCertificate"),
				   InstanceMethod<&Session::path_mtu>("pathMtu"),
				   InstanceMethod<&Session::close>("close"),
				   StaticMethod<&Session::check_material>("checkMaterial"),
				   InstanceAccessor<&Session::header_length>("headerLength"),
				   InstanceAccessor<&Session::get_state>("state"),
				   InstanceAccessor<&Session::get_failure>("failure"),
			   });
}

/*
 * new Session({ address, port, family, sendBuffer, ca, cert, key, name,
 * nameIsAddress }, callback(event)). The address is numeric, ca, cert and key are
 * PEM, `name` is whom the peer's certificate has to be for. Events: "connected",
 * "room", "over"; what happens at once is told by `state` alone.
 */
Session::Session(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Session>(info)
{
	Napi::Env env = info.Env();
	Napi::Object options = info[0].As<Napi::Object>();
	const char *call = "";

	if (missing_function()) {
		throw_errno(env, ENOTSUP, "OpenSSL");
		return;
	}
	int error = open(options, &call);
	if (error && !env.IsExceptionPending())
		throw_errno(env, error, call);
	if (error)
		return;
	callback = Napi::Persistent(info[1].As<Napi::Function>());
	/* As long as it is open it calls back, whether or not JavaScript still holds it. */
	Ref();
	channel.shake_hands();
	if (channel.state == State::OVER)
		let_go();
	else
		arm();
}

Session::~Session()
{
	stop();
}

/* Empty, and thrown, when it cannot be made. */
static Owned<SSL_CTX> context_of(const Napi::Object &options)
{
	Material material = { options.Get("ca").ToString(), options.Get("cert").ToString(),
			      options.Get("key").ToString() };
	std::string part, reason;

	Owned<SSL_CTX> context = make_context(material, &part, &reason);
	if (!context)
		throw_unusable(options.Env(), part, reason);
	return context;
}

/* checkMaterial({ ca, cert, key }): throws when a session could not be made of them */
void Session::check_material(const Napi::CallbackInfo &info)
{
	if (missing_function())
		throw_errno(info.Env(), ENOTSUP, "OpenSSL");
	else
		context_of(info[0].As<Napi::Object>());
}

int Session::open(const Napi::Object &options, const char **call)
{
	int family = options.Get("family").ToNumber().Int32Value() == 6 ? AF_INET6 : AF_INET;

	Owned<SSL_CTX> context = context_of(options);
	*call = "SSL_new";
	if (!context || !channel.prepare(context.get(), options.Get("name").ToString(),
					 options.Get("nameIsAddress").ToBoolean()))
		return EINVAL;
	int error = channel.connect(family, options.Get("address").ToString(),
				    options.Get("port").ToNumber().Int32Value(),
				    options.Get("sendBuffer").ToNumber().Int32Value(), call);
	return error ? error : watch_socket(call);
}

int Session::watch_socket(const char **call)
{
	*call = "uv_poll_init";
	return SocketWatch::start(Env(), channel.fd(),
				  { [this](bool room) { on_socket(room); },
				    [this] { on_timeout(); },
				    [this] {
					    stop();
				    } },
				  &watch);
}

/* Watches for what comes next. An idle session does not keep the process alive. */
void Session::arm()
{
	watch->arm(channel.blocked || room_wanted, channel.resend_after(),
		   channel.state == State::HANDSHAKE || room_wanted);
}

void Session::on_socket(bool room)
{
	State before = channel.state;

	if (before == State::HANDSHAKE)
		channel.shake_hands();
	else
		channel.read_away();
	if (channel.state == State::OVER)
		return tell("over");
	bool told = room && room_wanted;
	if (told)
		room_wanted = false;
	arm();
	if (channel.state != before)
		tell("connected");
	else if (told)
		tell("room");
}

void Session::on_timeout()
{
	channel.resend();
	if (channel.state == State::OVER)
		return tell("over");
	arm();
}

/* Always the last thing that is done: the callback may close the session. */
void Session::tell(const char *event)
{
	Napi::Env env = Env();
	Napi::HandleScope scope(env);
	/* It must not be collected before we are through. */
	[[maybe_unused]] Napi::Object self = Value();
	Napi::Function called = callback.Value();
	Napi::AsyncContext context(env, "ioamctl.dtls");
	napi_value name = Napi::String::New(env, event);
	napi_value error;
	bool thrown = false;

	if (channel.state == State::OVER)
		let_go();
	/* Not by way of Napi::Error, which cannot be made while a worker is being ended. */
	napi_make_callback(env, context, env.Global(), called, 1, &name, nullptr);
	if (napi_is_exception_pending(env, &thrown) == napi_ok && thrown &&
	    napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

/*
 * send(buffer, offset, length, segment): octets of the messages taken, each
 * `segment` long, the last may be shorter; 0 when the socket is full; a negated
 * errno when nothing was taken. `state` tells when that was the end.
 */
Napi::Value Session::send(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	size_t offset = info[1].As<Napi::Number>().Int64Value();
	size_t length = info[2].As<Napi::Number>().Int64Value();
	size_t segment = info[3].As<Napi::Number>().Int64Value();

	if (channel.state != State::OPEN)
		return Napi::Number::New(env, -EBADF);
	if (!info[0].IsTypedArray())
		return Napi::Number::New(env, -EINVAL);
	Napi::Uint8Array buffer = info[0].As<Napi::Uint8Array>();
	if (offset > buffer.ByteLength() || length > buffer.ByteLength() - offset)
		return Napi::Number::New(env, -EINVAL);
	ssize_t taken = channel.send(buffer.Data() + offset, length, segment);
	if (channel.state == State::OVER)
		let_go();
	return Napi::Number::New(env, taken);
}

/* awaitRoom(): "room" is told when another send is worth a try */
void Session::await_room(const Napi::CallbackInfo &)
{
	if (!watch)
		return;
	room_wanted = true;
	arm();
}

/* peerCertificate(): DER, whether accepted or not; undefined while the peer has shown none */
Napi::Value Session::peer_certificate(const Napi::CallbackInfo &info)
{
	const std::string &octets = channel.certificate;

	if (octets.empty())
		return info.Env().Undefined();
	return Napi::Buffer<char>::Copy(info.Env(), octets.data(), octets.size());
}

/* pathMtu(): octets of an IP packet to the peer, as the kernel knows it; 0: unknown */
Napi::Value Session::path_mtu(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), channel.path_mtu());
}

/* Octets of a packet that are not the message, once the session is open. */
Napi::Value Session::header_length(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), channel.header_length());
}

/* "handshake", "open" or "over" */
Napi::Value Session::get_state(const Napi::CallbackInfo &info)
{
	static const char *const names[] = { "handshake", "open", "over" };

	return Napi::String::New(info.Env(), names[static_cast<int>(channel.state)]);
}

/* { kind, reason, number } once it is over without close(), else undefined */
Napi::Value Session::get_failure(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	const Channel::Failure &failure = channel.failure;

	if (!failure.kind)
		return env.Undefined();
	Napi::Object result = Napi::Object::New(env);
	result.Set("kind", Napi::String::New(env, failure.kind));
	result.Set("reason", Napi::String::New(env, failure.reason));
	result.Set("number", Napi::Number::New(env, failure.number));
	return result;
}

void Session::close(const Napi::CallbackInfo &)
{
	let_go();
}

/* Over, and nothing will call back any more. */
void Session::let_go()
{
	if (!watch)
		return;
	stop();
	/* What it closes over may hold the session. */
	callback.Reset();
	Unref();
}

void Session::stop()
{
	if (watch)
		watch->release();
	watch = nullptr;
	channel.close();
}
