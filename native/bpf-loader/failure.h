// How a failed system or libbpf call becomes a JavaScript error.
#ifndef BPF_LOADER_FAILURE_H
#define BPF_LOADER_FAILURE_H

#include <napi.h>

#include <string>

/*
 * Throws an Error with the properties `errno` (positive), `syscall` (what was
 * called) and `log` (libbpf's and the verifier's words, may be empty). The
 * TypeScript front turns it into an IoamctlError. Returns undefined, so that
 * `return throw_errno(…)` ends a function.
 */
Napi::Value throw_errno(Napi::Env env, int error, const char *call, const std::string &log = "");

/* The same error as a value, for promises. */
Napi::Error make_error(Napi::Env env, int error, const char *call, const std::string &log = "");

#endif
