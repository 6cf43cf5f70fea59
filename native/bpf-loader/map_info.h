// What the kernel knows of a map, and how large its values are for a system call.
#ifndef BPF_LOADER_MAP_INFO_H
#define BPF_LOADER_MAP_INFO_H

#include <linux/bpf.h>

#include <cstddef>

/* 0 or an errno. */
int map_info(int fd, struct bpf_map_info *info);

/* Octets that a system call reads or writes for one value: of all CPUs for a per-CPU map. */
size_t value_octets(const struct bpf_map_info *info);

#endif
