// Programs: what the kernel knows of them.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "failure.h"

/* programInfo(fd) */
static Napi::Value describe(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	struct bpf_prog_info program;
	std::vector<uint32_t> maps;
	uint32_t length = sizeof(program);
	char tag[2 * BPF_TAG_SIZE + 1];

	memset(&program, 0, sizeof(program));
	if (bpf_obj_get_info_by_fd(int_argument(info, 0), &program, &length))
		return throw_errno(env, errno, "bpf_obj_get_info_by_fd");
	/* Again for the ids of the maps, now that their number is known. */
	maps.resize(program.nr_map_ids);
	memset(&program, 0, sizeof(program));
	program.nr_map_ids = maps.size();
	program.map_ids = reinterpret_cast<uintptr_t>(maps.data());
	length = sizeof(program);
	if (bpf_obj_get_info_by_fd(int_argument(info, 0), &program, &length))
		return throw_errno(env, errno, "bpf_obj_get_info_by_fd");

	const char *type = libbpf_bpf_prog_type_str(static_cast<enum bpf_prog_type>(program.type));
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(tag + 2 * i, 3, "%02x", program.tag[i]);
	Napi::Array map_ids = Napi::Array::New(env);
	for (size_t i = 0; i < maps.size() && i < program.nr_map_ids; i++)
		map_ids.Set(i, Napi::Number::New(env, maps[i]));
	Napi::Object result = Napi::Object::New(env);
	result.Set("id", Napi::Number::New(env, program.id));
	result.Set("name", Napi::String::New(env, program.name));
	result.Set("type", Napi::String::New(env, type ? type : std::to_string(program.type)));
	result.Set("tag", Napi::String::New(env, tag));
	result.Set("mapIds", map_ids);
	/* Both 0 unless kernel.bpf_stats_enabled is set. */
	result.Set("runTimeNs", Napi::BigInt::New(env, uint64_t(program.run_time_ns)));
	result.Set("runCount", Napi::BigInt::New(env, uint64_t(program.run_cnt)));
	return result;
}

void export_program(Napi::Env env, Napi::Object exports)
{
	exports.Set("programInfo", Napi::Function::New<describe>(env, "programInfo"));
}
