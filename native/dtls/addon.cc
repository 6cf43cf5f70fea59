// dtls: a thin Node-API binding of DTLS 1.2 clients on the OpenSSL of the node process itself.
// It checks no arguments beyond what keeps it safe: src/native/dtls.ts does, with clear messages.
#include <napi.h>

#include "openssl.h"
#include "session.h"

/* openssl: { missing, built, running }: a function that is not there, versions as OpenSSL numbers them */
static Napi::Object openssl_facts(Napi::Env env)
{
	Napi::Object facts = Napi::Object::New(env);
	const char *missing = missing_function();

	if (missing)
		facts.Set("missing", Napi::String::New(env, missing));
	facts.Set("built", Napi::Number::New(env, OPENSSL_VERSION_NUMBER));
	facts.Set("running",
		  Napi::Number::New(env, OpenSSL_version_num ? OpenSSL_version_num() : 0));
	return facts;
}

static Napi::Object init(Napi::Env env, Napi::Object exports)
{
	exports.Set("openssl", openssl_facts(env));
	exports.Set("Session", Session::define(env));
	return exports;
}

NODE_API_MODULE(dtls, init)
