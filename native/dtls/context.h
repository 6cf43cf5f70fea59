// What a session stands on: protocol, cipher suites, who we are and whom we trust.
#ifndef DTLS_CONTEXT_H
#define DTLS_CONTEXT_H

#include <string>

#include "openssl.h"

/* PEM all of it. */
struct Material {
	/* Certificates of the authorities trusted. */
	std::string ca;
	/* Our certificate, then those between it and its authority. */
	std::string cert;
	/* Its private key, not encrypted. */
	std::string key;
};

/*
 * A context of its own for each session. When the material cannot be used the
 * result is empty, `part` is "ca", "cert" or "key" and `reason` OpenSSL's words.
 */
Owned<SSL_CTX> make_context(const Material &material, std::string *part, std::string *reason);

#endif
