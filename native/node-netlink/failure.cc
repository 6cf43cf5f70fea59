// How a failed system or libmnl call becomes a JavaScript error.
#include "failure.h"

#include <cstring>
#include <string>

Napi::Value throw_errno(Napi::Env env, int error, const char *call)
{
	Napi::Error failure = Napi::Error::New(env, std::string(call) + ": " + strerror(error));

	failure.Set("errno", Napi::Number::New(env, error));
	failure.Set("syscall", Napi::String::New(env, call));
	failure.ThrowAsJavaScriptException();
	return env.Undefined();
}
