// How a failure becomes a JavaScript error.
#include "failure.h"

#include <cstring>

void throw_errno(Napi::Env env, int error, const char *call)
{
	Napi::Error failure = Napi::Error::New(env, std::string(call) + ": " + strerror(error));

	failure.Set("errno", Napi::Number::New(env, error));
	failure.Set("syscall", Napi::String::New(env, call));
	failure.ThrowAsJavaScriptException();
}

void throw_unusable(Napi::Env env, const std::string &part, const std::string &reason)
{
	Napi::Error failure = Napi::Error::New(env, part + ": " + reason);

	failure.Set("part", Napi::String::New(env, part));
	failure.Set("reason", Napi::String::New(env, reason));
	failure.ThrowAsJavaScriptException();
}
