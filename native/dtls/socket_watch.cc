// A socket and a time on Node's event loop.
#include "socket_watch.h"

#include <cerrno>
#include <utility>

int SocketWatch::start(Napi::Env env, int fd, Callbacks callbacks, SocketWatch **watch)
{
	uv_loop_t *loop;

	if (napi_get_uv_event_loop(env, &loop) != napi_ok)
		return ENOTSUP;
	SocketWatch *made = new SocketWatch(std::move(callbacks));
	int error = -uv_poll_init(loop, &made->poll, fd);
	if (error) {
		delete made;
		return error;
	}
	uv_timer_init(loop, &made->timer);
	made->poll.data = made;
	made->timer.data = made;
	napi_add_async_cleanup_hook(env, on_cleanup, made, &made->cleanup);
	*watch = made;
	return 0;
}

void SocketWatch::arm(bool room, int64_t milliseconds, bool alive)
{
	uv_handle_t *handle = reinterpret_cast<uv_handle_t *>(&poll);

	uv_poll_start(&poll, UV_READABLE | (room ? UV_WRITABLE : 0), on_poll);
	if (milliseconds >= 0)
		uv_timer_start(&timer, on_timer, milliseconds, 0);
	else
		uv_timer_stop(&timer);
	if (alive)
		uv_ref(handle);
	else
		uv_unref(handle);
}

void SocketWatch::on_poll(uv_poll_t *poll, int status, int events)
{
	SocketWatch *watch = static_cast<SocketWatch *>(poll->data);

	/* libuv does not watch a socket with an error any more; that one has room for a try. */
	if (!watch->released)
		watch->callbacks.on_socket(status < 0 || (events & UV_WRITABLE));
}

void SocketWatch::on_timer(uv_timer_t *timer)
{
	SocketWatch *watch = static_cast<SocketWatch *>(timer->data);

	if (!watch->released)
		watch->callbacks.on_due();
}

void SocketWatch::release()
{
	released = true;
	uv_close(reinterpret_cast<uv_handle_t *>(&poll), on_closed);
	uv_close(reinterpret_cast<uv_handle_t *>(&timer), on_closed);
}

void SocketWatch::on_closed(uv_handle_t *handle)
{
	SocketWatch *watch = static_cast<SocketWatch *>(handle->data);

	if (--watch->handles > 0)
		return;
	napi_remove_async_cleanup_hook(watch->cleanup);
	delete watch;
}

void SocketWatch::on_cleanup(napi_async_cleanup_hook_handle, void *data)
{
	SocketWatch *watch = static_cast<SocketWatch *>(data);

	if (!watch->released)
		watch->callbacks.on_end();
}
