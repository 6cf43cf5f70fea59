// The clsact hooks of tc, for kernels without TCX: never removing what others use.
#include <bpf/libbpf.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "print.h"
#include "tc_dump.h"

static struct bpf_tc_hook hook_of(int ifindex, bool egress)
{
	LIBBPF_OPTS(bpf_tc_hook, hook);

	hook.ifindex = ifindex;
	hook.attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
	return hook;
}

static uint32_t parent_of(bool egress)
{
	return TC_H_MAKE(TC_H_CLSACT, egress ? TC_H_MIN_EGRESS : TC_H_MIN_INGRESS);
}

/*
 * Removes a clsact qdisc whose two hooks hold no filter of anybody, and whose
 * filters are its own. 0 or an errno; *removed says whether it was done.
 */
static int remove_if_unused(int ifindex, bool *removed)
{
	struct bpf_tc_hook hook = hook_of(ifindex, false);
	std::vector<TcFilter> filters;
	TcQdisc qdisc;

	*removed = false;
	int error = dump_ingress_qdisc(ifindex, &qdisc);
	if (error || qdisc.kind != "clsact" || qdisc.shared_block)
		return error;
	error = dump_filters(ifindex, parent_of(false), &filters);
	if (!error)
		error = dump_filters(ifindex, parent_of(true), &filters);
	if (error || !filters.empty())
		return error;
	/* libbpf removes the qdisc, and not a hook's filters, when both hooks are named. */
	hook.attach_point = static_cast<enum bpf_tc_attach_point>(BPF_TC_INGRESS | BPF_TC_EGRESS);
	error = -bpf_tc_hook_destroy(&hook);
	*removed = !error;
	/* Somebody else was quicker. */
	return error == ENOENT || error == EINVAL ? 0 : error;
}

/*
 * tcAttach(programFd, ifindex, egress, priority or 0):
 * { handle, priority, createdQdisc }. EEXIST with syscall "clsact": an ingress
 * qdisc is in the way, which has no egress hook.
 */
static Napi::Value attach(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	PrintCapture capture;
	LIBBPF_OPTS(bpf_tc_opts, options);
	bool egress = info[2].ToBoolean();
	struct bpf_tc_hook hook = hook_of(int_argument(info, 1), egress);
	TcQdisc qdisc;

	int error = bpf_tc_hook_create(&hook);
	bool created = !error;
	if (error && error != -EEXIST)
		return throw_errno(env, -error, "bpf_tc_hook_create", capture.text);
	if (!created && egress) {
		error = dump_ingress_qdisc(hook.ifindex, &qdisc);
		if (error)
			return throw_errno(env, error, "RTM_GETQDISC");
		if (qdisc.kind != "clsact")
			return throw_errno(env, EEXIST, "clsact", qdisc.kind);
	}
	options.prog_fd = int_argument(info, 0);
	options.priority = u32_argument(info, 3);
	error = bpf_tc_attach(&hook, &options);
	if (error) {
		bool removed;
		if (created)
			remove_if_unused(hook.ifindex, &removed);
		return throw_errno(env, -error, "bpf_tc_attach", capture.text);
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("handle", Napi::Number::New(env, options.handle));
	result.Set("priority", Napi::Number::New(env, options.priority));
	result.Set("createdQdisc", Napi::Boolean::New(env, created));
	return result;
}

/* tcDetach(ifindex, egress, handle, priority, programId): whether that filter held it */
static Napi::Value detach(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	PrintCapture capture;
	struct bpf_tc_hook hook = hook_of(int_argument(info, 0), info[1].ToBoolean());
	LIBBPF_OPTS(bpf_tc_opts, found);
	LIBBPF_OPTS(bpf_tc_opts, target);

	found.handle = target.handle = u32_argument(info, 2);
	found.priority = target.priority = u32_argument(info, 3);
	int error = bpf_tc_query(&hook, &found);
	/* EINVAL: no clsact qdisc here, or a filter of another kind under that handle. */
	if (error == -ENOENT || error == -EINVAL || error == -ENODEV)
		return Napi::Boolean::New(env, false);
	if (error)
		return throw_errno(env, -error, "bpf_tc_query", capture.text);
	if (found.prog_id != u32_argument(info, 4))
		return Napi::Boolean::New(env, false);
	error = bpf_tc_detach(&hook, &target);
	if (error == -ENOENT)
		return Napi::Boolean::New(env, false);
	if (error)
		return throw_errno(env, -error, "bpf_tc_detach", capture.text);
	return Napi::Boolean::New(env, true);
}

/* tcQuery(ifindex, egress): every filter of that hook, BPF or not */
static Napi::Value query(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Array result = Napi::Array::New(env);
	int ifindex = int_argument(info, 0);
	bool egress = info[1].ToBoolean();
	std::vector<TcFilter> filters;
	TcQdisc qdisc;
	uint32_t count = 0;

	int error = dump_ingress_qdisc(ifindex, &qdisc);
	/* An ingress qdisc answers for egress too, with its ingress filters. */
	if (!error && (qdisc.kind == "clsact" || (qdisc.kind == "ingress" && !egress)))
		error = dump_filters(ifindex, parent_of(egress), &filters);
	if (error)
		return throw_errno(env, error, "RTM_GETTFILTER");
	for (const TcFilter &filter : filters) {
		/* The head of a priority is dumped too, without a filter's handle. */
		if (!filter.handle)
			continue;
		Napi::Object entry = Napi::Object::New(env);
		entry.Set("handle", Napi::Number::New(env, filter.handle));
		entry.Set("priority", Napi::Number::New(env, filter.priority));
		entry.Set("chain", Napi::Number::New(env, filter.chain));
		entry.Set("kind", Napi::String::New(env, filter.kind));
		entry.Set("name", Napi::String::New(env, filter.name));
		entry.Set("programId", Napi::Number::New(env, filter.program_id));
		result.Set(count++, entry);
	}
	return result;
}

/* tcRemoveQdisc(ifindex): whether it was removed */
static Napi::Value remove_qdisc(const Napi::CallbackInfo &info)
{
	PrintCapture capture;
	bool removed;

	int error = remove_if_unused(int_argument(info, 0), &removed);
	if (error)
		return throw_errno(info.Env(), error, "bpf_tc_hook_destroy", capture.text);
	return Napi::Boolean::New(info.Env(), removed);
}

void export_tc(Napi::Env env, Napi::Object exports)
{
	exports.Set("tcAttach", Napi::Function::New<attach>(env, "tcAttach"));
	exports.Set("tcDetach", Napi::Function::New<detach>(env, "tcDetach"));
	exports.Set("tcQuery", Napi::Function::New<query>(env, "tcQuery"));
	exports.Set("tcRemoveQdisc", Napi::Function::New<remove_qdisc>(env, "tcRemoveQdisc"));
}
