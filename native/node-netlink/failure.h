// How a failed system or libmnl call becomes a JavaScript error.
#ifndef NODE_NETLINK_FAILURE_H
#define NODE_NETLINK_FAILURE_H

#include <napi.h>

/*
 * Throws an Error with the properties `errno` (positive) and `syscall` (what
 * was called). The TypeScript front turns it into an IoamctlError. Returns
 * undefined, so that `return throw_errno(…)` ends a function.
 */
Napi::Value throw_errno(Napi::Env env, int error, const char *call);

#endif
