// How a failed system or libbpf call becomes a JavaScript error.
#include "failure.h"

#include <bpf/libbpf.h>

Napi::Error make_error(Napi::Env env, int error, const char *call, const std::string &log)
{
	char reason[128];

	libbpf_strerror(error, reason, sizeof(reason));
	Napi::Error failure = Napi::Error::New(env, std::string(call) + ": " + reason);
	failure.Set("errno", Napi::Number::New(env, error));
	failure.Set("reason", Napi::String::New(env, reason));
	failure.Set("syscall", Napi::String::New(env, call));
	failure.Set("log", Napi::String::New(env, log));
	return failure;
}

Napi::Value throw_errno(Napi::Env env, int error, const char *call, const std::string &log)
{
	make_error(env, error, call, log).ThrowAsJavaScriptException();
	return env.Undefined();
}
