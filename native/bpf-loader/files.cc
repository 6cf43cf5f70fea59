// Pins, ids, the BPF file system and file locks.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "addon.h"
#include "arguments.h"
#include "failure.h"
#include "fd.h"
#include "thread_job.h"

static bool is_bpffs(const char *path)
{
	struct statfs filesystem;

	return !statfs(path, &filesystem) && filesystem.f_type == BPF_FS_MAGIC;
}

/* pin(fd, path) */
static Napi::Value pin(const Napi::CallbackInfo &info)
{
	std::string path = string_argument(info, 1);

	if (bpf_obj_pin(int_argument(info, 0), path.c_str())) {
		int error = errno;
		size_t slash = path.rfind('/');
		std::string directory = slash == std::string::npos ? "."
								   : path.substr(0, slash + 1);
		/* EPERM is the kernel's word for a directory of another file system, too. */
		if (error == EPERM && !is_bpffs(directory.c_str()))
			error = EINVAL;
		return throw_errno(info.Env(), error, "bpf_obj_pin");
	}
	return info.Env().Undefined();
}

/* What a descriptor of bpf() is: "map", "program", "link", or empty. */
static const char *kind_of(int fd)
{
	char link[64], target[64] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, target, sizeof(target) - 1) < 0)
		return "";
	std::string name(target);
	if (name == "anon_inode:bpf-map")
		return "map";
	if (name == "anon_inode:bpf-prog")
		return "program";
	if (name.starts_with("anon_inode:bpf_link") || name.starts_with("anon_inode:bpf-link"))
		return "link";
	return "";
}

/* getPinned(path, kind): Fd; EINVAL when the pin is of another kind */
static Napi::Value get_pinned(const Napi::CallbackInfo &info)
{
	std::string path = string_argument(info, 0);
	int fd = bpf_obj_get(path.c_str());

	if (fd < 0) {
		int error = errno;
		/* EACCES is the kernel's word for a file of another file system, too. */
		if (error == EACCES && !access(path.c_str(), R_OK) && !is_bpffs(path.c_str()))
			error = EINVAL;
		return throw_errno(info.Env(), error, "bpf_obj_get");
	}
	if (string_argument(info, 1) != kind_of(fd)) {
		std::string kind = kind_of(fd);
		close(fd);
		return throw_errno(info.Env(), EINVAL, "kind", kind);
	}
	return Fd::create(info.Env(), fd);
}

/* getById(kind, id): Fd */
static Napi::Value get_by_id(const Napi::CallbackInfo &info)
{
	std::string kind = string_argument(info, 0);
	uint32_t id = u32_argument(info, 1);
	int fd;

	if (kind == "map")
		fd = bpf_map_get_fd_by_id(id);
	else if (kind == "program")
		fd = bpf_prog_get_fd_by_id(id);
	else
		fd = bpf_link_get_fd_by_id(id);
	if (fd < 0)
		return throw_errno(info.Env(), errno, "bpf_get_fd_by_id");
	return Fd::create(info.Env(), fd);
}

/*
 * mountBpffs(path): whether one was mounted. The directory is locked so that
 * two processes that start together do not mount one over the other's pins.
 */
static Napi::Value mount_bpffs(const Napi::CallbackInfo &info)
{
	std::string path = string_argument(info, 0);
	bool mounted = false;
	int error = 0;

	if (is_bpffs(path.c_str()))
		return Napi::Boolean::New(info.Env(), false);
	int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return throw_errno(info.Env(), errno, "open");
	while (flock(directory, LOCK_EX) && errno == EINTR)
		;
	if (!is_bpffs(path.c_str())) {
		mounted = !mount("bpf", path.c_str(), "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
				 "mode=0700");
		error = mounted ? 0 : errno;
	}
	close(directory);
	if (error)
		return throw_errno(info.Env(), error, "mount");
	return Napi::Boolean::New(info.Env(), mounted);
}

/* flock(fd, shared): whether the lock was free */
static Napi::Value lock(const Napi::CallbackInfo &info)
{
	int kind = info[1].ToBoolean() ? LOCK_SH : LOCK_EX;
	int result;

	do {
		result = flock(int_argument(info, 0), kind | LOCK_NB);
	} while (result && errno == EINTR);
	if (result && errno != EWOULDBLOCK)
		return throw_errno(info.Env(), errno, "flock");
	return Napi::Boolean::New(info.Env(), !result);
}

class LockJob : public ThreadJob {
public:
	explicit LockJob(int fd) : fd(fd)
	{
	}

	/* The lock belongs to the open file, which the caller's descriptor shares. */
	~LockJob() override
	{
		close(fd);
	}

	int run() override
	{
		return flock(fd, LOCK_EX) ? errno : 0;
	}

	const char *call() const override
	{
		return "flock";
	}

	Napi::Value result(Napi::Env env) override
	{
		return env.Undefined();
	}

private:
	int fd;
};

/* flockWait(fd): Promise */
static Napi::Value lock_wait(const Napi::CallbackInfo &info)
{
	int fd = duplicate_fd(int_argument(info, 0));

	if (fd < 0)
		return throw_errno(info.Env(), errno, "fcntl");
	return ThreadJob::start(info.Env(), std::make_unique<LockJob>(fd));
}

/* funlock(fd) */
static Napi::Value unlock(const Napi::CallbackInfo &info)
{
	if (flock(int_argument(info, 0), LOCK_UN))
		return throw_errno(info.Env(), errno, "flock");
	return info.Env().Undefined();
}

void export_files(Napi::Env env, Napi::Object exports)
{
	exports.Set("pin", Napi::Function::New<pin>(env, "pin"));
	exports.Set("getPinned", Napi::Function::New<get_pinned>(env, "getPinned"));
	exports.Set("getById", Napi::Function::New<get_by_id>(env, "getById"));
	exports.Set("mountBpffs", Napi::Function::New<mount_bpffs>(env, "mountBpffs"));
	exports.Set("flock", Napi::Function::New<lock>(env, "flock"));
	exports.Set("flockWait", Napi::Function::New<lock_wait>(env, "flockWait"));
	exports.Set("funlock", Napi::Function::New<unlock>(env, "funlock"));
}
