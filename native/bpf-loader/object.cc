// A BPF object file: opened, adjusted, loaded; hands out its maps and programs.
#include "object.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "arguments.h"
#include "btf.h"
#include "failure.h"
#include "fd.h"
#include "map_info.h"
#include "print.h"

Napi::Function Object::define(Napi::Env env)
{
	return DefineClass(
		env, "Object",
		{
			InstanceMethod<&Object::initial_value>("initialValue"),
			InstanceMethod<&Object::set_initial_value>("setInitialValue"),
			InstanceMethod<&Object::set_max_entries>("setMaxEntries"),
			InstanceMethod<&Object::set_inner_max_entries>("setInnerMaxEntries"),
			InstanceMethod<&Object::reuse_map>("reuseMap"),
			InstanceMethod<&Object::disable_program>("disableProgram"),
			InstanceMethod<&Object::names>("names"),
			InstanceMethod<&Object::load>("load"),
			InstanceMethod<&Object::map>("map"),
			InstanceMethod<&Object::program>("program"),
			InstanceMethod<&Object::layout>("layout"),
			InstanceMethod<&Object::close>("close"),
		});
}

/* new Object(path) */
Object::Object(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Object>(info)
{
	PrintCapture capture;

	object = bpf_object__open_file(string_argument(info, 0).c_str(), nullptr);
	if (!object)
		throw_errno(info.Env(), errno, "bpf_object__open_file", capture.text);
}

Object::~Object()
{
	release();
}

void Object::close(const Napi::CallbackInfo &)
{
	release();
}

void Object::release(void)
{
	bpf_object__close(object);
	object = nullptr;
	for (int fd : templates)
		::close(fd);
	templates.clear();
}

/* The map named by the first argument; throws ENOENT (or EBADF when closed) and returns null. */
struct bpf_map *Object::find_map(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = nullptr;

	if (!object) {
		throw_errno(info.Env(), EBADF, "bpf_object__find_map_by_name");
		return nullptr;
	}
	map = bpf_object__find_map_by_name(object, string_argument(info, 0).c_str());
	if (!map)
		throw_errno(info.Env(), ENOENT, "bpf_object__find_map_by_name");
	return map;
}

struct bpf_program *Object::find_program(const Napi::CallbackInfo &info)
{
	struct bpf_program *program = nullptr;

	if (!object) {
		throw_errno(info.Env(), EBADF, "bpf_object__find_program_by_name");
		return nullptr;
	}
	program = bpf_object__find_program_by_name(object, string_argument(info, 0).c_str());
	if (!program)
		throw_errno(info.Env(), ENOENT, "bpf_object__find_program_by_name");
	return program;
}

/* initialValue(map): a copy, so that nothing written after load() or close() can fault. */
Napi::Value Object::initial_value(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = find_map(info);
	size_t size = 0;

	if (!map)
		return info.Env().Undefined();
	const void *value = bpf_map__initial_value(map, &size);
	if (!value)
		return throw_errno(info.Env(), EINVAL, "bpf_map__initial_value");
	Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(info.Env(), size);
	memcpy(copy.Data(), value, size);
	return copy;
}

/* setInitialValue(map, Uint8Array) */
Napi::Value Object::set_initial_value(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = find_map(info);
	Octets value = octets_argument(info, 1);

	if (!map)
		return info.Env().Undefined();
	int error = bpf_map__set_initial_value(map, value.data, value.size);
	if (error)
		return throw_errno(info.Env(), -error, "bpf_map__set_initial_value");
	return info.Env().Undefined();
}

/* setMaxEntries(map, n) */
Napi::Value Object::set_max_entries(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = find_map(info);

	if (!map)
		return info.Env().Undefined();
	int error = bpf_map__set_max_entries(map, u32_argument(info, 1));
	if (error)
		return throw_errno(info.Env(), -error, "bpf_map__set_max_entries");
	return info.Env().Undefined();
}

/* setInnerMaxEntries(map, n): of the template that the maps in a map-in-map must match. */
Napi::Value Object::set_inner_max_entries(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = find_map(info);

	if (!map)
		return info.Env().Undefined();
	struct bpf_map *inner = bpf_map__inner_map(map);
	if (!inner)
		return throw_errno(info.Env(), EINVAL, "bpf_map__inner_map");
	/*
	 * bpf_map__set_max_entries() crashes on a template (libbpf 1.1): another
	 * template instead, which is an empty map and must live until load().
	 */
	LIBBPF_OPTS(bpf_map_create_opts, options);
	options.map_flags = bpf_map__map_flags(inner);
	int fd = bpf_map_create(bpf_map__type(inner), "template", bpf_map__key_size(inner),
				bpf_map__value_size(inner), u32_argument(info, 1), &options);
	if (fd < 0)
		return throw_errno(info.Env(), errno, "bpf_map_create");
	int error = bpf_map__set_inner_map_fd(map, fd);
	if (error) {
		::close(fd);
		return throw_errno(info.Env(), -error, "bpf_map__set_inner_map_fd");
	}
	templates.push_back(fd);
	return info.Env().Undefined();
}

/*
 * reuseMap(map, fd): libbpf takes a descriptor of its own, and the properties
 * of what it is given: so that it is one of the same kind is for us to check.
 */
Napi::Value Object::reuse_map(const Napi::CallbackInfo &info)
{
	PrintCapture capture;
	struct bpf_map *map = find_map(info);
	struct bpf_map_info existing;

	if (!map)
		return info.Env().Undefined();
	int error = map_info(int_argument(info, 1), &existing);
	if (error)
		return throw_errno(info.Env(), error, "bpf_obj_get_info_by_fd");
	if (existing.type != bpf_map__type(map) || existing.key_size != bpf_map__key_size(map) ||
	    existing.value_size != bpf_map__value_size(map))
		return throw_errno(info.Env(), EINVAL, "bpf_map__reuse_fd");
	error = bpf_map__reuse_fd(map, int_argument(info, 1));
	if (error)
		return throw_errno(info.Env(), -error, "bpf_map__reuse_fd", capture.text);
	return info.Env().Undefined();
}

/* disableProgram(name) */
Napi::Value Object::disable_program(const Napi::CallbackInfo &info)
{
	struct bpf_program *program = find_program(info);

	if (!program)
		return info.Env().Undefined();
	int error = bpf_program__set_autoload(program, false);
	if (error)
		return throw_errno(info.Env(), -error, "bpf_program__set_autoload");
	return info.Env().Undefined();
}

/* names(): { maps: string[], programs: string[] } */
Napi::Value Object::names(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Array maps = Napi::Array::New(env);
	Napi::Array programs = Napi::Array::New(env);
	struct bpf_program *program;
	struct bpf_map *map;
	uint32_t count = 0;

	if (!object)
		return throw_errno(env, EBADF, "bpf_object__next_map");
	bpf_object__for_each_map(map, object)
		maps.Set(count++, Napi::String::New(env, bpf_map__name(map)));
	count = 0;
	bpf_object__for_each_program(program, object)
		programs.Set(count++, Napi::String::New(env, bpf_program__name(program)));
	Napi::Object names = Napi::Object::New(env);
	names.Set("maps", maps);
	names.Set("programs", programs);
	return names;
}

/*
 * load(): on failure libbpf tries again with the verifier's log on and a
 * buffer that it doubles until the log fits, and prints it: into our capture.
 */
Napi::Value Object::load(const Napi::CallbackInfo &info)
{
	PrintCapture capture;

	if (!object)
		return throw_errno(info.Env(), EBADF, "bpf_object__load");
	int error = bpf_object__load(object);
	if (error)
		return throw_errno(info.Env(), -error, "bpf_object__load", capture.text);
	return info.Env().Undefined();
}

static Napi::Value own_fd(Napi::Env env, int fd, const char *call)
{
	if (fd < 0)
		return throw_errno(env, ENODATA, call);
	fd = duplicate_fd(fd);
	if (fd < 0)
		return throw_errno(env, errno, "fcntl");
	return Fd::create(env, fd);
}

/* map(name): Fd of its own; ENODATA before load(). */
Napi::Value Object::map(const Napi::CallbackInfo &info)
{
	struct bpf_map *map = find_map(info);

	if (!map)
		return info.Env().Undefined();
	return own_fd(info.Env(), bpf_map__fd(map), "bpf_map__fd");
}

/* program(name): Fd of its own; ENODATA before load() and for a disabled program. */
Napi::Value Object::program(const Napi::CallbackInfo &info)
{
	struct bpf_program *program = find_program(info);

	if (!program)
		return info.Env().Undefined();
	return own_fd(info.Env(), bpf_program__fd(program), "bpf_program__fd");
}

/* layout(name): see btf.h */
Napi::Value Object::layout(const Napi::CallbackInfo &info)
{
	if (!object)
		return throw_errno(info.Env(), EBADF, "bpf_object__btf");
	return btf_layout(info.Env(), bpf_object__btf(object), string_argument(info, 0));
}
