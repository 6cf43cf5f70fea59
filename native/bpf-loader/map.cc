// Maps: created, described, read and written element by element.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "fd.h"
#include "map_info.h"
#include "thread_job.h"

/* mapInfo(fd) */
static Napi::Value describe(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	struct bpf_map_info map;
	int error = map_info(int_argument(info, 0), &map);

	if (error)
		return throw_errno(env, error, "bpf_obj_get_info_by_fd");
	const char *type = libbpf_bpf_map_type_str(static_cast<enum bpf_map_type>(map.type));
	Napi::Object result = Napi::Object::New(env);
	result.Set("id", Napi::Number::New(env, map.id));
	result.Set("name", Napi::String::New(env, map.name));
	result.Set("type", Napi::String::New(env, type ? type : std::to_string(map.type)));
	result.Set("keySize", Napi::Number::New(env, map.key_size));
	result.Set("valueSize", Napi::Number::New(env, map.value_size));
	result.Set("valueOctets", Napi::Number::New(env, value_octets(&map)));
	result.Set("maxEntries", Napi::Number::New(env, map.max_entries));
	result.Set("flags", Napi::Number::New(env, map.map_flags));
	return result;
}

/* createMap(type, name, keySize, valueSize, maxEntries, flags, innerFd or -1): Fd */
static Napi::Value create(const Napi::CallbackInfo &info)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int inner = int_argument(info, 6);

	options.map_flags = u32_argument(info, 5);
	if (inner >= 0)
		options.inner_map_fd = inner;
	int fd = bpf_map_create(static_cast<enum bpf_map_type>(u32_argument(info, 0)),
				string_argument(info, 1).c_str(), u32_argument(info, 2),
				u32_argument(info, 3), u32_argument(info, 4), &options);
	if (fd < 0)
		return throw_errno(info.Env(), errno, "bpf_map_create");
	return Fd::create(info.Env(), fd);
}

/* mapLookup(fd, key, valueOctets): Uint8Array, or undefined when there is no such key */
static Napi::Value lookup(const Napi::CallbackInfo &info)
{
	Napi::Uint8Array value = Napi::Uint8Array::New(info.Env(), u32_argument(info, 2));

	if (!bpf_map_lookup_elem(int_argument(info, 0), octets_argument(info, 1).data,
				 value.Data()))
		return value;
	if (errno == ENOENT)
		return info.Env().Undefined();
	return throw_errno(info.Env(), errno, "bpf_map_lookup_elem");
}

/* mapUpdate(fd, key, value, flags) */
static Napi::Value update(const Napi::CallbackInfo &info)
{
	if (bpf_map_update_elem(int_argument(info, 0), octets_argument(info, 1).data,
				octets_argument(info, 2).data, u32_argument(info, 3)))
		return throw_errno(info.Env(), errno, "bpf_map_update_elem");
	return info.Env().Undefined();
}

/* A map-in-map's update waits for a grace period, 8 to 16 ms. */
class UpdateJob : public ThreadJob {
public:
	UpdateJob(int fd, Octets key, Octets value, uint64_t flags)
		: fd(fd), key(key.data, key.data + key.size),
		  value(value.data, value.data + value.size), flags(flags)
	{
	}

	~UpdateJob() override
	{
		close(fd);
	}

	int run() override
	{
		return bpf_map_update_elem(fd, key.data(), value.data(), flags) ? errno : 0;
	}

	const char *call() const override
	{
		return "bpf_map_update_elem";
	}

	Napi::Value result(Napi::Env env) override
	{
		return env.Undefined();
	}

private:
	int fd;
	std::vector<uint8_t> key;
	std::vector<uint8_t> value;
	uint64_t flags;
};

/* mapUpdateAsync(fd, key, value, flags): Promise */
static Napi::Value update_async(const Napi::CallbackInfo &info)
{
	int fd = duplicate_fd(int_argument(info, 0));

	if (fd < 0)
		return throw_errno(info.Env(), errno, "fcntl");
	return ThreadJob::start(info.Env(),
				std::make_unique<UpdateJob>(fd, octets_argument(info, 1),
							    octets_argument(info, 2),
							    u32_argument(info, 3)));
}

/* mapDelete(fd, key): whether there was one */
static Napi::Value remove(const Napi::CallbackInfo &info)
{
	bool deleted = !bpf_map_delete_elem(int_argument(info, 0), octets_argument(info, 1).data);

	if (!deleted && errno != ENOENT)
		return throw_errno(info.Env(), errno, "bpf_map_delete_elem");
	return Napi::Boolean::New(info.Env(), deleted);
}

/* mapKeys(fd, keySize, limit): one Uint8Array, keys one after another; stops at limit. */
static Napi::Value keys(const Napi::CallbackInfo &info)
{
	int fd = int_argument(info, 0);
	size_t size = u32_argument(info, 1);
	size_t limit = u32_argument(info, 2);
	std::vector<uint8_t> found;
	std::vector<uint8_t> key(size), next(size);
	bool first = true;

	while (found.size() < limit * size) {
		if (bpf_map_get_next_key(fd, first ? nullptr : key.data(), next.data())) {
			if (errno == ENOENT)
				break;
			return throw_errno(info.Env(), errno, "bpf_map_get_next_key");
		}
		found.insert(found.end(), next.begin(), next.end());
		key.swap(next);
		first = false;
	}
	return to_uint8array(info.Env(), found.data(), found.size());
}

void export_map(Napi::Env env, Napi::Object exports)
{
	exports.Set("mapInfo", Napi::Function::New<describe>(env, "mapInfo"));
	exports.Set("createMap", Napi::Function::New<create>(env, "createMap"));
	exports.Set("mapLookup", Napi::Function::New<lookup>(env, "mapLookup"));
	exports.Set("mapUpdate", Napi::Function::New<update>(env, "mapUpdate"));
	exports.Set("mapUpdateAsync", Napi::Function::New<update_async>(env, "mapUpdateAsync"));
	exports.Set("mapDelete", Napi::Function::New<remove>(env, "mapDelete"));
	exports.Set("mapKeys", Napi::Function::New<keys>(env, "mapKeys"));
}
