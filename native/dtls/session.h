// A DTLS session with a collector on Node's event loop, as JavaScript sees it.
#ifndef DTLS_SESSION_H
#define DTLS_SESSION_H

#include <napi.h>

#include "channel.h"
#include "socket_watch.h"

class Session : public Napi::ObjectWrap<Session> {
public:
	static Napi::Function define(Napi::Env env);
	explicit Session(const Napi::CallbackInfo &info);
	~Session() override;

private:
	static void check_material(const Napi::CallbackInfo &info);
	Napi::Value send(const Napi::CallbackInfo &info);
	void await_room(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);
	Napi::Value peer_certificate(const Napi::CallbackInfo &info);
	Napi::Value path_mtu(const Napi::CallbackInfo &info);
	Napi::Value header_length(const Napi::CallbackInfo &info);
	Napi::Value get_state(const Napi::CallbackInfo &info);
	Napi::Value get_failure(const Napi::CallbackInfo &info);

	int open(const Napi::Object &options, const char **call);
	int watch_socket(const char **call);
	void arm();
	void on_socket(bool room);
	void on_timeout();
	void tell(const char *event);
	void stop();
	void let_go();

	Channel channel;
	bool room_wanted = false;
	SocketWatch *watch = nullptr;
	Napi::FunctionReference callback;
};

#endif
