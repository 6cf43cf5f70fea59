// Offsets and sizes of a struct's members, out of BTF.
#ifndef BPF_LOADER_BTF_H
#define BPF_LOADER_BTF_H

#include <bpf/btf.h>
#include <napi.h>

#include <string>

/*
 * { size, fields: { "member": { offset, size, count? }, "member.nested": … } }
 * of the struct, union or typedef of that name, or of the data section if the
 * name begins with a dot. Bit fields are left out. Throws ENOENT when there is
 * no such name, ENODATA when there is no BTF.
 */
Napi::Value btf_layout(Napi::Env env, const struct btf *btf, const std::string &name);

#endif
