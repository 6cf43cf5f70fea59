// Map memory as an ArrayBuffer: mapped, not copied, for as long as anything looks at it.
#include <napi.h>
#include <sys/mman.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "failure.h"

/*
 * mapMmap(fd, offset, length, writable): ArrayBuffer of `length` octets.
 * Each call is a mapping, and so an address, of its own. The mapping holds the
 * map: its descriptors may be closed. V8 unmaps it when the ArrayBuffer and
 * all views of it are gone.
 */
static Napi::Value mmap_map(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	int64_t offset = info[1].As<Napi::Number>().Int64Value();
	size_t length = info[2].As<Napi::Number>().Int64Value();
	int protection = info[3].ToBoolean() ? PROT_READ | PROT_WRITE : PROT_READ;
	napi_value buffer;

	void *address =
		mmap(nullptr, length, protection, MAP_SHARED, int_argument(info, 0), offset);
	if (address == MAP_FAILED)
		return throw_errno(env, errno, "mmap");
	napi_status status = napi_create_external_arraybuffer(
		env, address, length,
		[](napi_env, void *data, void *hint) {
			munmap(data, reinterpret_cast<size_t>(hint));
		},
		reinterpret_cast<void *>(length), &buffer);
	if (status != napi_ok) {
		munmap(address, length);
		return throw_errno(env, ENOTSUP, "napi_create_external_arraybuffer");
	}
	return Napi::Value(env, buffer);
}

void export_mapping(Napi::Env env, Napi::Object exports)
{
	exports.Set("mapMmap", Napi::Function::New<mmap_map>(env, "mapMmap"));
}
