// How a failure becomes a JavaScript error.
#ifndef DTLS_FAILURE_H
#define DTLS_FAILURE_H

#include <napi.h>

#include <string>

/* An Error with the properties `errno` (positive) and `syscall` (what was called). */
void throw_errno(Napi::Env env, int error, const char *call);

/* An Error with the properties `part` ("ca", "cert", "key") and `reason`: that cannot be used. */
void throw_unusable(Napi::Env env, const std::string &part, const std::string &reason);

#endif
