// OpenSSL as the node process itself has it: not linked, found when the addon is loaded.
#include "openssl.h"

const char *missing_function()
{
#define CHECK(name)          \
	if (name == nullptr) \
		return #name;
	OPENSSL_FUNCTIONS(CHECK)
#undef CHECK
	return nullptr;
}

std::string first_reason()
{
	unsigned long error = ERR_peek_error();
	const char *reason = error ? ERR_reason_error_string(error) : nullptr;

	return reason ? reason : "unknown error";
}

void Freed::operator()(BIO *bio) const
{
	BIO_free(bio);
}

void Freed::operator()(EVP_PKEY *key) const
{
	EVP_PKEY_free(key);
}

void Freed::operator()(SSL *ssl) const
{
	SSL_free(ssl);
}

void Freed::operator()(SSL_CTX *context) const
{
	SSL_CTX_free(context);
}

void Freed::operator()(X509 *certificate) const
{
	X509_free(certificate);
}
