// bpf-loader: a thin Node-API binding of the system's libbpf and of the few system calls Node lacks.
// It checks no arguments beyond what keeps it safe: src/native/bpf-loader does, with clear messages.
#include "addon.h"

#include "fd.h"
#include "object.h"
#include "print.h"
#include "ring.h"

static Napi::Object init(Napi::Env env, Napi::Object exports)
{
	AddonData *data = new AddonData();

	env.SetInstanceData(data);
	capture_libbpf_print();
	data->fd_class = Napi::Persistent(Fd::define(env));
	data->object_class = Napi::Persistent(Object::define(env));
	data->ring_class = Napi::Persistent(Ring::define(env));
	exports.Set("Object", data->object_class.Value());
	exports.Set("Ring", data->ring_class.Value());
	export_map(env, exports);
	export_map_batch(env, exports);
	export_mapping(env, exports);
	export_program(env, exports);
	export_test_run(env, exports);
	export_link(env, exports);
	export_tc(env, exports);
	export_netns(env, exports);
	export_btf(env, exports);
	export_files(env, exports);
	export_system(env, exports);
	return exports;
}

NODE_API_MODULE(bpf_loader, init)
