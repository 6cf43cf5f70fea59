// Small facts of this machine that Node does not tell: CPUs, clocks, interfaces.
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "addon.h"
#include "arguments.h"
#include "failure.h"

static Napi::Value possible_cpus(const Napi::CallbackInfo &info)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return throw_errno(info.Env(), -cpus, "libbpf_num_possible_cpus");
	return Napi::Number::New(info.Env(), cpus);
}

static int64_t nanoseconds(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/*
 * realtimeMinusMonotonic(): BigInt, ns. Real time is read between two readings
 * of the monotonic clock; of several tries the closest pair counts.
 */
static Napi::Value realtime_minus_monotonic(const Napi::CallbackInfo &info)
{
	int64_t closest = INT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < 5; i++) {
		int64_t before = nanoseconds(CLOCK_MONOTONIC);
		int64_t real = nanoseconds(CLOCK_REALTIME);
		int64_t after = nanoseconds(CLOCK_MONOTONIC);
		if (after - before >= closest)
			continue;
		closest = after - before;
		offset = real - (before + (after - before) / 2);
	}
	return Napi::BigInt::New(info.Env(), offset);
}

/* monotonic(coarse): BigInt, ns, as bpf_ktime_get_ns or bpf_ktime_get_coarse_ns tell it */
static Napi::Value monotonic(const Napi::CallbackInfo &info)
{
	clockid_t clock = info[0].ToBoolean() ? CLOCK_MONOTONIC_COARSE : CLOCK_MONOTONIC;

	return Napi::BigInt::New(info.Env(), nanoseconds(clock));
}

/* 0 or an errno; for the interface named in `request`, in this netns. */
static int interface_request(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int error = ioctl(fd, what, request) ? errno : 0;
	close(fd);
	return error;
}

/* interfaceIndex(name): 0 when there is none */
static Napi::Value interface_index(const Napi::CallbackInfo &info)
{
	struct ifreq request = {};
	std::string name = string_argument(info, 0);

	if (name.empty() || name.size() >= sizeof(request.ifr_name))
		return Napi::Number::New(info.Env(), 0);
	memcpy(request.ifr_name, name.c_str(), name.size());
	int error = interface_request(SIOCGIFINDEX, &request);
	if (error == ENODEV)
		return Napi::Number::New(info.Env(), 0);
	if (error)
		return throw_errno(info.Env(), error, "SIOCGIFINDEX");
	return Napi::Number::New(info.Env(), request.ifr_ifindex);
}

/* interfaceName(index): undefined when there is none */
static Napi::Value interface_name(const Napi::CallbackInfo &info)
{
	struct ifreq request = {};

	request.ifr_ifindex = int_argument(info, 0);
	int error = interface_request(SIOCGIFNAME, &request);
	if (error == ENODEV || error == ENXIO)
		return info.Env().Undefined();
	if (error)
		return throw_errno(info.Env(), error, "SIOCGIFNAME");
	return Napi::String::New(info.Env(), request.ifr_name);
}

/* interfaceType(index): ARPHRD_*, undefined when there is none */
static Napi::Value interface_type(const Napi::CallbackInfo &info)
{
	struct ifreq request = {};

	request.ifr_ifindex = int_argument(info, 0);
	int error = interface_request(SIOCGIFNAME, &request);
	if (!error)
		error = interface_request(SIOCGIFHWADDR, &request);
	if (error == ENODEV || error == ENXIO)
		return info.Env().Undefined();
	if (error)
		return throw_errno(info.Env(), error, "SIOCGIFHWADDR");
	return Napi::Number::New(info.Env(), request.ifr_hwaddr.sa_family);
}

void export_system(Napi::Env env, Napi::Object exports)
{
	exports.Set("possibleCpus", Napi::Function::New<possible_cpus>(env, "possibleCpus"));
	exports.Set("realtimeMinusMonotonic",
		    Napi::Function::New<realtime_minus_monotonic>(env, "realtimeMinusMonotonic"));
	exports.Set("monotonic", Napi::Function::New<monotonic>(env, "monotonic"));
	exports.Set("interfaceIndex", Napi::Function::New<interface_index>(env, "interfaceIndex"));
	exports.Set("interfaceName", Napi::Function::New<interface_name>(env, "interfaceName"));
	exports.Set("interfaceType", Napi::Function::New<interface_type>(env, "interfaceType"));
}
