// Maps read (and emptied) many elements a system call.
#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "map_info.h"

/* Elements a system call: larger ones gain nothing (measured on the hash map). */
static const uint32_t CHUNK = 4096;

struct Batch {
	std::vector<uint8_t> keys;
	std::vector<uint8_t> values;
	std::vector<uint8_t> position; /* where the kernel goes on from */
	uint32_t count = 0;
	bool more = true;
};

/*
 * Reads `max` elements into `batch`, or a few more: the kernel does not split
 * a hash bucket. 0 or an errno.
 */
static int read_batch(int fd, const struct bpf_map_info *map, uint32_t max, bool take, bool resumed,
		      Batch *batch)
{
	auto read = take ? bpf_map_lookup_and_delete_batch : bpf_map_lookup_batch;
	size_t value_size = value_octets(map);
	uint32_t least = 1;

	while (batch->more && batch->count < max) {
		uint32_t room = std::max(least, std::min(CHUNK, max - batch->count));
		uint32_t count = room;
		std::vector<uint8_t> position(batch->position.size());
		int error = 0;

		batch->keys.resize((batch->count + size_t(room)) * map->key_size);
		batch->values.resize((batch->count + size_t(room)) * value_size);
		if (read(fd, resumed ? batch->position.data() : nullptr, position.data(),
			 batch->keys.data() + size_t(batch->count) * map->key_size,
			 batch->values.data() + size_t(batch->count) * value_size, &count, nullptr))
			error = errno;
		if (error == ENOSPC && count == 0 && room < map->max_entries) {
			/* The next bucket holds more than there was room for. */
			least = room * 2;
			continue;
		}
		if (error && error != ENOENT)
			return error;
		batch->count += count;
		batch->position = position;
		batch->more = !error;
		resumed = true;
	}
	batch->keys.resize(size_t(batch->count) * map->key_size);
	batch->values.resize(size_t(batch->count) * value_size);
	return 0;
}

/* mapBatch(fd, max, delete, position?): { keys, values, count, position? } */
static Napi::Value batch(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	int fd = int_argument(info, 0);
	bool take = info[2].ToBoolean();
	Octets from = octets_argument(info, 3);
	struct bpf_map_info map;
	Batch batch;

	int error = map_info(fd, &map);
	if (error)
		return throw_errno(env, error, "bpf_obj_get_info_by_fd");
	batch.position.resize(std::max<size_t>(map.key_size, 8));
	std::copy_n(from.data, std::min(from.size, batch.position.size()), batch.position.data());
	error = read_batch(fd, &map, u32_argument(info, 1), take, from.size > 0, &batch);
	if (error)
		return throw_errno(env, error,
				   take ? "bpf_map_lookup_and_delete_batch"
					: "bpf_map_lookup_batch");
	Napi::Object result = Napi::Object::New(env);
	result.Set("keys", to_uint8array(env, batch.keys.data(), batch.keys.size()));
	result.Set("values", to_uint8array(env, batch.values.data(), batch.values.size()));
	result.Set("count", Napi::Number::New(env, batch.count));
	if (batch.more)
		result.Set("position",
			   to_uint8array(env, batch.position.data(), batch.position.size()));
	return result;
}

void export_map_batch(Napi::Env env, Napi::Object exports)
{
	exports.Set("mapBatch", Napi::Function::New<batch>(env, "mapBatch"));
}
