// Offsets and sizes of a struct's members, out of BTF.
#include "btf.h"

#include <bpf/libbpf.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "print.h"

/* The type behind typedefs, const and volatile. */
static const struct btf_type *resolve(const struct btf *btf, uint32_t id)
{
	int resolved = btf__resolve_type(btf, id);

	return resolved < 0 ? nullptr : btf__type_by_id(btf, resolved);
}

static void add_field(Napi::Object fields, const std::string &name, uint32_t offset, uint32_t size,
		      const struct btf_type *type)
{
	Napi::Env env = fields.Env();
	Napi::Object field = Napi::Object::New(env);

	field.Set("offset", Napi::Number::New(env, offset));
	field.Set("size", Napi::Number::New(env, size));
	if (type && btf_is_array(type))
		field.Set("count", Napi::Number::New(env, btf_array(type)->nelems));
	fields.Set(name, field);
}

/* The member (or variable) itself under its name, and what it holds under "name.member". */
static void add_member(Napi::Object fields, const struct btf *btf, const std::string &name,
		       uint32_t type_id, uint32_t offset);

static void add_members(Napi::Object fields, const struct btf *btf, const struct btf_type *type,
			const std::string &prefix, uint32_t base)
{
	const struct btf_member *member = btf_members(type);

	for (uint32_t i = 0; i < btf_vlen(type); i++, member++) {
		std::string name = btf__name_by_offset(btf, member->name_off);
		uint32_t bits = btf_member_bit_offset(type, i);

		if (btf_member_bitfield_size(type, i) || bits % 8)
			continue;
		if (name.empty()) {
			/* An anonymous struct or union: its members belong to this level. */
			const struct btf_type *inner = resolve(btf, member->type);
			if (inner && btf_is_composite(inner))
				add_members(fields, btf, inner, prefix, base + bits / 8);
			continue;
		}
		add_member(fields, btf, prefix + name, member->type, base + bits / 8);
	}
}

static void add_member(Napi::Object fields, const struct btf *btf, const std::string &name,
		       uint32_t type_id, uint32_t offset)
{
	const struct btf_type *type = resolve(btf, type_id);
	int64_t size = btf__resolve_size(btf, type_id);

	if (size < 0)
		return;
	add_field(fields, name, offset, size, type);
	if (type && btf_is_composite(type))
		add_members(fields, btf, type, name + ".", offset);
}

static const struct btf_type *find(const struct btf *btf, const std::string &name)
{
	static const uint32_t kinds[] = { BTF_KIND_STRUCT, BTF_KIND_UNION, BTF_KIND_TYPEDEF };

	if (name.starts_with(".")) {
		int id = btf__find_by_name_kind(btf, name.c_str(), BTF_KIND_DATASEC);
		return id < 0 ? nullptr : btf__type_by_id(btf, id);
	}
	for (uint32_t kind : kinds) {
		int id = btf__find_by_name_kind(btf, name.c_str(), kind);
		const struct btf_type *type = id < 0 ? nullptr : resolve(btf, id);
		if (type && btf_is_composite(type))
			return type;
	}
	return nullptr;
}

Napi::Value btf_layout(Napi::Env env, const struct btf *btf, const std::string &name)
{
	if (!btf)
		return throw_errno(env, ENODATA, "bpf_object__btf");
	const struct btf_type *type = find(btf, name);
	if (!type)
		return throw_errno(env, ENOENT, "btf__find_by_name_kind");

	Napi::Object fields = Napi::Object::New(env);
	if (btf_is_datasec(type)) {
		const struct btf_var_secinfo *variable = btf_var_secinfos(type);
		for (uint32_t i = 0; i < btf_vlen(type); i++, variable++) {
			const struct btf_type *var = btf__type_by_id(btf, variable->type);
			add_member(fields, btf, btf__name_by_offset(btf, var->name_off), var->type,
				   variable->offset);
		}
	} else {
		add_members(fields, btf, type, "", 0);
	}
	Napi::Object layout = Napi::Object::New(env);
	layout.Set("size", Napi::Number::New(env, type->size));
	layout.Set("fields", fields);
	return layout;
}

/*
 * btfLayout(path, name). Through bpf_object__open, not btf__parse: the offsets
 * of variables in a section are filled in from the symbol table there.
 */
static Napi::Value layout(const Napi::CallbackInfo &info)
{
	PrintCapture capture;
	struct bpf_object *object =
		bpf_object__open_file(string_argument(info, 0).c_str(), nullptr);

	if (!object)
		return throw_errno(info.Env(), errno, "bpf_object__open_file", capture.text);
	Napi::Value result =
		btf_layout(info.Env(), bpf_object__btf(object), string_argument(info, 1));
	bpf_object__close(object);
	return result;
}

void export_btf(Napi::Env env, Napi::Object exports)
{
	exports.Set("btfLayout", Napi::Function::New<layout>(env, "btfLayout"));
}
