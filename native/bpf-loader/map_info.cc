// What the kernel knows of a map, and how large its values are for a system call.
#include "map_info.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>

int map_info(int fd, struct bpf_map_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) ? errno : 0;
}

size_t value_octets(const struct bpf_map_info *info)
{
	switch (info->type) {
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		return (info->value_size + 7UL) / 8 * 8 * libbpf_num_possible_cpus();
	default:
		return info->value_size;
	}
}
