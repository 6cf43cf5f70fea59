// BPF links: TCX and XDP attachments that live as long as their descriptor or pin.
#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "fd.h"

/*
 * Kernel 6.6 and libbpf 1.3 have these; they are the kernel's ABI, so that
 * an older libbpf and its headers do as well.
 */
static const uint32_t ATTACH_TCX_INGRESS = 46;
static const uint32_t ATTACH_TCX_EGRESS = 47;
static const uint32_t LINK_TYPE_TCX = 11;
static const uint32_t LINK_FIRST = 1U << 3; /* BPF_F_BEFORE, of no other: first of all */

/* union bpf_attr for BPF_PROG_QUERY, with the fields of kernel 6.6. */
struct query_attr {
	uint32_t target_ifindex;
	uint32_t attach_type;
	uint32_t query_flags;
	uint32_t attach_flags;
	uint64_t program_ids;
	uint32_t count;
	uint32_t pad;
	uint64_t program_attach_flags;
	uint64_t link_ids;
	uint64_t link_attach_flags;
	uint64_t revision;
};

static uint32_t tcx_attach_type(bool egress)
{
	return egress ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS;
}

/* linkCreateTcx(programFd, ifindex, egress, first): Fd */
static Napi::Value create_tcx(const Napi::CallbackInfo &info)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);

	options.flags = info[3].ToBoolean() ? LINK_FIRST : 0;
	int fd = bpf_link_create(
		int_argument(info, 0), int_argument(info, 1),
		static_cast<enum bpf_attach_type>(tcx_attach_type(info[2].ToBoolean())), &options);
	if (fd < 0)
		return throw_errno(info.Env(), errno, "bpf_link_create");
	return Fd::create(info.Env(), fd);
}

/* linkCreateXdp(programFd, ifindex, XDP_FLAGS_*): Fd */
static Napi::Value create_xdp(const Napi::CallbackInfo &info)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);

	options.flags = u32_argument(info, 2);
	int fd = bpf_link_create(int_argument(info, 0), int_argument(info, 1), BPF_XDP, &options);
	if (fd < 0)
		return throw_errno(info.Env(), errno, "bpf_link_create");
	return Fd::create(info.Env(), fd);
}

/* linkInfo(fd): { id, type, programId, ifindex, attachType }; ifindex 0: the device is gone */
static Napi::Value describe(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	struct bpf_link_info link;
	uint32_t length = sizeof(link);
	const char *attach = "";
	const char *type = "other";
	uint32_t ifindex = 0;

	memset(&link, 0, sizeof(link));
	if (bpf_obj_get_info_by_fd(int_argument(info, 0), &link, &length))
		return throw_errno(env, errno, "bpf_obj_get_info_by_fd");
	if (link.type == LINK_TYPE_TCX) {
		/* struct { __u32 ifindex; __u32 attach_type; } at the start of the union */
		uint32_t tcx[2];
		memcpy(tcx, &link.xdp, sizeof(tcx));
		type = "tcx";
		ifindex = tcx[0];
		attach = tcx[1] == ATTACH_TCX_EGRESS ? "egress" : "ingress";
	} else if (link.type == BPF_LINK_TYPE_XDP) {
		type = "xdp";
		ifindex = link.xdp.ifindex;
		attach = "xdp";
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("id", Napi::Number::New(env, link.id));
	result.Set("type", Napi::String::New(env, type));
	result.Set("programId", Napi::Number::New(env, link.prog_id));
	result.Set("ifindex", Napi::Number::New(env, ifindex));
	result.Set("attachType", Napi::String::New(env, attach));
	return result;
}

/* linkDetach(fd): takes the program off the device, whoever else holds the link. */
static Napi::Value detach(const Napi::CallbackInfo &info)
{
	if (bpf_link_detach(int_argument(info, 0)))
		return throw_errno(info.Env(), errno, "bpf_link_detach");
	return info.Env().Undefined();
}

/* queryTcx(ifindex, egress): { programId, linkId }[] in the order they run */
static Napi::Value query_tcx(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Array result = Napi::Array::New(env);
	std::vector<uint32_t> programs, links;
	struct query_attr attr;

	/* Once for the number; again should it have grown meanwhile. */
	for (uint32_t room = 0;; room = attr.count) {
		programs.assign(room, 0);
		links.assign(room, 0);
		memset(&attr, 0, sizeof(attr));
		attr.target_ifindex = int_argument(info, 0);
		attr.attach_type = tcx_attach_type(info[1].ToBoolean());
		attr.count = room;
		if (room) {
			attr.program_ids = reinterpret_cast<uintptr_t>(programs.data());
			attr.link_ids = reinterpret_cast<uintptr_t>(links.data());
		}
		if (syscall(__NR_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)) && errno != ENOSPC)
			return throw_errno(env, errno, "BPF_PROG_QUERY");
		if (attr.count <= room)
			break;
	}
	for (uint32_t i = 0; i < attr.count; i++) {
		Napi::Object entry = Napi::Object::New(env);
		entry.Set("programId", Napi::Number::New(env, programs[i]));
		entry.Set("linkId", Napi::Number::New(env, links[i]));
		result.Set(i, entry);
	}
	return result;
}

void export_link(Napi::Env env, Napi::Object exports)
{
	exports.Set("linkCreateTcx", Napi::Function::New<create_tcx>(env, "linkCreateTcx"));
	exports.Set("linkCreateXdp", Napi::Function::New<create_xdp>(env, "linkCreateXdp"));
	exports.Set("linkInfo", Napi::Function::New<describe>(env, "linkInfo"));
	exports.Set("linkDetach", Napi::Function::New<detach>(env, "linkDetach"));
	exports.Set("queryTcx", Napi::Function::New<query_tcx>(env, "queryTcx"));
}
