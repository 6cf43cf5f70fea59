// Network namespaces: opened, entered and left by the calling thread.
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "fd.h"
#include "thread_state.h"

/*
 * netnsOpen(path, or empty for the thread's own): { fd: Fd, inode }. EINVAL
 * when the file is something else than a network namespace.
 */
static Napi::Value open_netns(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	std::string path = string_argument(info, 0);
	struct statfs filesystem;
	struct stat status;

	int fd = path.empty() ? own_netns() : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return throw_errno(env, errno, "open");
	if (fstatfs(fd, &filesystem) || filesystem.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET || fstat(fd, &status)) {
		close(fd);
		return throw_errno(env, EINVAL, "NS_GET_NSTYPE");
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("inode", Napi::Number::New(env, double(status.st_ino)));
	result.Set("fd", Fd::create(env, fd));
	return result;
}

/* Linux 5.14; the C library of Debian 11 does not know it. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/*
 * netnsCookie(): BigInt, the number of the thread's own namespace that no other
 * one ever gets, unlike an inode; 0 on a kernel that does not tell it
 */
static Napi::Value cookie(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	uint64_t value = 0;
	socklen_t size = sizeof(value);

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return throw_errno(env, errno, "socket");
	int error = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &value, &size) ? errno : 0;
	close(fd);
	if (error && error != ENOPROTOOPT)
		return throw_errno(env, error, "getsockopt");
	return Napi::BigInt::New(env, value);
}

/* netnsEnter(fd): the Fd of the namespace that the thread was in */
static Napi::Value enter(const Napi::CallbackInfo &info)
{
	int own = own_netns();

	if (own < 0)
		return throw_errno(info.Env(), errno, "open");
	if (setns(int_argument(info, 0), CLONE_NEWNET)) {
		int error = errno;
		close(own);
		return throw_errno(info.Env(), error, "setns");
	}
	return Fd::create(info.Env(), own);
}

/* netnsReturn(fd): never fails, see return_to_netns() */
static Napi::Value leave(const Napi::CallbackInfo &info)
{
	return_to_netns(int_argument(info, 0));
	return info.Env().Undefined();
}

void export_netns(Napi::Env env, Napi::Object exports)
{
	exports.Set("netnsOpen", Napi::Function::New<open_netns>(env, "netnsOpen"));
	exports.Set("netnsCookie", Napi::Function::New<cookie>(env, "netnsCookie"));
	exports.Set("netnsEnter", Napi::Function::New<enter>(env, "netnsEnter"));
	exports.Set("netnsReturn", Napi::Function::New<leave>(env, "netnsReturn"));
}
