// A socket and a time on Node's event loop.
#ifndef DTLS_SOCKET_WATCH_H
#define DTLS_SOCKET_WATCH_H

#include <napi.h>
#include <uv.h>

#include <cstdint>
#include <functional>

/*
 * Made by `start`, given back by `release` and never by delete: libuv holds its
 * handles for one more turn.
 */
class SocketWatch {
public:
	struct Callbacks {
		/* The socket has something (also an error), or `room`. */
		std::function<void(bool room)> on_socket;
		std::function<void()> on_due;
		/* The environment ends: the watch must be released at once. */
		std::function<void()> on_end;
	};

	/* 0, or an errno. */
	static int start(Napi::Env env, int fd, Callbacks callbacks, SocketWatch **watch);

	/*
	 * Watches for input, and for room if told; calls on_due in so many milliseconds
	 * (-1: never). `alive`: keeps the process from ending.
	 */
	void arm(bool room, int64_t milliseconds, bool alive);

	/* Calls nothing any more. The socket may be closed then. */
	void release();

private:
	explicit SocketWatch(Callbacks callbacks) : callbacks(std::move(callbacks))
	{
	}

	static void on_poll(uv_poll_t *poll, int status, int events);
	static void on_timer(uv_timer_t *timer);
	static void on_closed(uv_handle_t *handle);
	static void on_cleanup(napi_async_cleanup_hook_handle handle, void *watch);

	uv_poll_t poll;
	uv_timer_t timer;
	Callbacks callbacks;
	bool released = false;
	int handles = 2;
	napi_async_cleanup_hook_handle cleanup = nullptr;
};

#endif
