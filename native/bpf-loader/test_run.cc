// BPF_PROG_TEST_RUN: a program over a packet given, on this thread or on one of its own.
#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "fd.h"
#include "thread_job.h"
#include "thread_state.h"

/* Room for what a program may prepend or insert. */
static const size_t GROWTH = 1024;

class TestRun : public ThreadJob {
public:
	TestRun(int fd, int netns, const Napi::Object &options);
	~TestRun() override;

	int run() override;
	const char *call() const override
	{
		return failed;
	}
	Napi::Value result(Napi::Env env) override;

	int fd;
	int netns;

private:
	int affinity;
	const char *failed = "bpf_prog_test_run_opts";
	std::vector<uint8_t> data, data_out, context, context_out;
	struct bpf_test_run_opts options;
};

static uint32_t u32_option(const Napi::Object &options, const char *name)
{
	Napi::Value value = options.Get(name);

	return value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
}

static std::vector<uint8_t> octets_option(const Napi::Object &options, const char *name)
{
	Octets octets = octets_of(options.Get(name));

	return std::vector<uint8_t>(octets.data, octets.data + octets.size);
}

TestRun::TestRun(int fd, int netns, const Napi::Object &given)
	: fd(fd), netns(netns), affinity(-1), data(octets_option(given, "data")),
	  context(octets_option(given, "context")), options()
{
	if (given.Get("affinity").IsNumber())
		affinity = u32_option(given, "affinity");
	options.sz = sizeof(options);
	options.repeat = u32_option(given, "repeat");
	options.flags = u32_option(given, "flags");
	options.cpu = u32_option(given, "cpu");
	options.batch_size = u32_option(given, "batchSize");
	options.data_in = data.data();
	options.data_size_in = data.size();
	if (!context.empty()) {
		options.ctx_in = context.data();
		options.ctx_size_in = context.size();
	}
	/* Frames that really travel give nothing back; the kernel refuses to be asked. */
	if (options.flags & BPF_F_TEST_XDP_LIVE_FRAMES)
		return;
	data_out.resize(data.size() + GROWTH);
	options.data_out = data_out.data();
	options.data_size_out = data_out.size();
	if (!context.empty()) {
		context_out.resize(context.size());
		options.ctx_out = context_out.data();
		options.ctx_size_out = context_out.size();
	}
}

TestRun::~TestRun()
{
	if (fd >= 0)
		close(fd);
	if (netns >= 0)
		close(netns);
}

int TestRun::run()
{
	AffinityScope cpu;
	NetnsScope network;
	int error;

	error = cpu.pin(affinity);
	if (error) {
		failed = "sched_setaffinity";
		return error;
	}
	error = network.enter(netns);
	if (error) {
		failed = "setns";
		return error;
	}
	return bpf_prog_test_run_opts(fd, &options) ? errno : 0;
}

Napi::Value TestRun::result(Napi::Env env)
{
	Napi::Object result = Napi::Object::New(env);

	/* TC_ACT_UNSPEC and TCX_NEXT are -1. */
	result.Set("retval", Napi::Number::New(env, static_cast<int32_t>(options.retval)));
	result.Set("durationNs", Napi::Number::New(env, options.duration));
	result.Set("dataOut", to_uint8array(env, data_out.data(),
					    data_out.empty() ? 0 : options.data_size_out));
	result.Set("contextOut", to_uint8array(env, context_out.data(),
					       context_out.empty() ? 0 : options.ctx_size_out));
	return result;
}

/* testRun(fd, netnsFd or -1, options); null is returned with an exception pending */
static std::unique_ptr<TestRun> prepare(const Napi::CallbackInfo &info)
{
	int fd = duplicate_fd(int_argument(info, 0));
	int netns = -1;

	if (fd < 0) {
		throw_errno(info.Env(), errno, "fcntl");
		return nullptr;
	}
	if (int_argument(info, 1) >= 0) {
		netns = duplicate_fd(int_argument(info, 1));
		if (netns < 0) {
			throw_errno(info.Env(), errno, "fcntl");
			close(fd);
			return nullptr;
		}
	}
	return std::make_unique<TestRun>(fd, netns, info[2].As<Napi::Object>());
}

static Napi::Value test_run(const Napi::CallbackInfo &info)
{
	std::unique_ptr<TestRun> run = prepare(info);

	if (!run)
		return info.Env().Undefined();
	int error = run->run();
	if (error)
		return throw_errno(info.Env(), error, run->call());
	return run->result(info.Env());
}

static Napi::Value test_run_async(const Napi::CallbackInfo &info)
{
	std::unique_ptr<TestRun> run = prepare(info);

	if (!run)
		return info.Env().Undefined();
	return ThreadJob::start(info.Env(), std::move(run));
}

void export_test_run(Napi::Env env, Napi::Object exports)
{
	exports.Set("testRun", Napi::Function::New<test_run>(env, "testRun"));
	exports.Set("testRunAsync", Napi::Function::New<test_run_async>(env, "testRunAsync"));
}
