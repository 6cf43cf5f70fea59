// node-netlink: a thin Node-API binding of generic netlink on the system's libmnl.
// It checks no arguments beyond what keeps it safe: src/native/node-netlink does, with clear messages.
#include <napi.h>

#include "control.h"
#include "receiver.h"

static Napi::Object init(Napi::Env env, Napi::Object exports)
{
	exports.Set("Control", Control::define(env));
	exports.Set("Receiver", Receiver::define(env));
	return exports;
}

NODE_API_MODULE(node_netlink, init)
