// Multicast messages on Node's event loop: batches of many, taken and given back.
#ifndef NODE_NETLINK_RECEIVER_H
#define NODE_NETLINK_RECEIVER_H

#include <napi.h>
#include <uv.h>

#include <memory>
#include <vector>

#include "batch_queue.h"
#include "genl_socket.h"
#include "reader.h"

class Receiver : public Napi::ObjectWrap<Receiver> {
public:
	static Napi::Function define(Napi::Env env);
	explicit Receiver(const Napi::CallbackInfo &info);
	~Receiver() override;

private:
	/* What the event loop watches: outlives the Receiver until libuv has closed it. */
	struct Watch {
		uv_async_t async;
		Receiver *receiver;
		napi_async_cleanup_hook_handle cleanup;
	};

	Napi::Value memory(const Napi::CallbackInfo &info);
	Napi::Value take(const Napi::CallbackInfo &info);
	void give_back(const Napi::CallbackInfo &info);
	Napi::Value counters(const Napi::CallbackInfo &info);
	void leave(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	int open(const Napi::CallbackInfo &info, const char **call);
	int set_up(const Napi::CallbackInfo &info, const char **call);
	int watch_events(Napi::Env env, bool keep_alive);
	void deliver();
	void leave_groups();
	void stop();
	static void on_event(uv_async_t *async);
	static void on_cleanup(napi_async_cleanup_hook_handle handle, void *watch);

	GenlSocket socket;
	std::shared_ptr<Arena> arena;
	std::unique_ptr<BatchQueue> queue;
	std::unique_ptr<Reader> reader;
	Watch *watch = nullptr;
	int receive_buffer = 0;
	/* Joined, and not left yet. */
	std::vector<int> groups;
	Napi::FunctionReference callback;
	std::unique_ptr<Napi::AsyncContext> context;
};

#endif
