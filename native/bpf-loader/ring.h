// A BPF ring buffer on Node's event loop: one callback a wake-up, never one a record.
#ifndef BPF_LOADER_RING_H
#define BPF_LOADER_RING_H

#include <bpf/libbpf.h>
#include <napi.h>
#include <uv.h>

#include <vector>

class Ring : public Napi::ObjectWrap<Ring> {
public:
	static Napi::Function define(Napi::Env env);

	explicit Ring(const Napi::CallbackInfo &info);
	~Ring() override;

private:
	/* What the event loop watches: outlives the Ring until libuv has closed it. */
	struct Watch {
		uv_poll_t poll;
		Ring *ring;
		napi_async_cleanup_hook_handle cleanup;
	};

	Napi::Value drain(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	static int on_record(void *self, void *data, size_t size);
	static void on_readable(uv_poll_t *poll, int status, int events);
	static void on_cleanup(napi_async_cleanup_hook_handle handle, void *watch);
	Napi::Value take();
	void deliver(int status);
	void stop();

	struct ring_buffer *ring = nullptr;
	int map_fd = -1;
	Watch *watch = nullptr;
	std::vector<uint8_t> batch;
	Napi::FunctionReference callback;
	std::unique_ptr<Napi::AsyncContext> context;
};

#endif
