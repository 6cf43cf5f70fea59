// A file descriptor that JavaScript owns: closed by close() or, at the latest, by the collector.
#include "fd.h"

#include <fcntl.h>
#include <unistd.h>

#include "addon.h"

Napi::Function Fd::define(Napi::Env env)
{
	return DefineClass(env, "Fd",
			   {
				   InstanceAccessor<&Fd::number>("number"),
				   InstanceMethod<&Fd::close>("close"),
			   });
}

Napi::Value Fd::create(Napi::Env env, int fd)
{
	Napi::Object object = env.GetInstanceData<AddonData>()->fd_class.New({});

	if (object.IsEmpty()) {
		::close(fd);
		return env.Undefined();
	}
	Fd::Unwrap(object)->fd = fd;
	return object;
}

Fd::Fd(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Fd>(info)
{
}

Fd::~Fd()
{
	if (fd >= 0)
		::close(fd);
}

/* The descriptor, -1 once closed. */
Napi::Value Fd::number(const Napi::CallbackInfo &info)
{
	return Napi::Number::New(info.Env(), fd);
}

void Fd::close(const Napi::CallbackInfo &)
{
	if (fd >= 0)
		::close(fd);
	fd = -1;
}

int duplicate_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}
