// A file descriptor that JavaScript owns: closed by close() or, at the latest, by the collector.
#ifndef BPF_LOADER_FD_H
#define BPF_LOADER_FD_H

#include <napi.h>

class Fd : public Napi::ObjectWrap<Fd> {
public:
	static Napi::Function define(Napi::Env env);
	/* Takes over `fd`, which must be open and close-on-exec. */
	static Napi::Value create(Napi::Env env, int fd);

	explicit Fd(const Napi::CallbackInfo &info);
	~Fd() override;

private:
	Napi::Value number(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	int fd = -1;
};

/* A second descriptor of the same file, close-on-exec; -1 and errno on failure. */
int duplicate_fd(int fd);

#endif
