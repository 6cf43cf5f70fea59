// What a session stands on: protocol, cipher suites, who we are and whom we trust.
#include "context.h"

/*
 * Forward secrecy and authenticated encryption (RFC 9325 section 4.2); for a
 * collector that has nothing else, what every implementation has to have (RFC 5246
 * section 9).
 */
static const char CIPHERS[] = "ECDHE+AESGCM:ECDHE+CHACHA20:AES128-SHA";

static Owned<BIO> reader_of(const std::string &pem)
{
	return Owned<BIO>(BIO_new_mem_buf(pem.data(), pem.size()));
}

/* Called for an encrypted key: without it OpenSSL would ask on the terminal. */
static int no_passphrase(char *, int, int, void *)
{
	return -1;
}

/* Whether reading ended because nothing more followed, not at something unreadable. */
static bool read_to_end()
{
	unsigned long error = ERR_peek_last_error();
	bool end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
		   ERR_GET_REASON(error) == PEM_R_NO_START_LINE;

	if (end)
		ERR_clear_error();
	return end;
}

static bool trust(SSL_CTX *context, const std::string &pem)
{
	Owned<BIO> reader = reader_of(pem);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	int count = 0;

	while (Owned<X509> authority{
		PEM_read_bio_X509_AUX(reader.get(), nullptr, nullptr, nullptr) }) {
		if (!X509_STORE_add_cert(store, authority.get()))
			return false;
		count++;
	}
	return count > 0 && read_to_end();
}

static bool present(SSL_CTX *context, const std::string &pem)
{
	Owned<BIO> reader = reader_of(pem);
	Owned<X509> own(PEM_read_bio_X509_AUX(reader.get(), nullptr, nullptr, nullptr));

	if (!own || SSL_CTX_use_certificate(context, own.get()) != 1)
		return false;
	while (Owned<X509> between{ PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr) }) {
		if (!SSL_CTX_add0_chain_cert(context, between.get()))
			return false;
		between.release();
	}
	return read_to_end();
}

static bool sign_with(SSL_CTX *context, const std::string &pem)
{
	Owned<BIO> reader = reader_of(pem);
	Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, nullptr));

	return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
	       SSL_CTX_check_private_key(context) == 1;
}

Owned<SSL_CTX> make_context(const Material &material, std::string *part, std::string *reason)
{
	ERR_clear_error();
	Owned<SSL_CTX> context(SSL_CTX_new(DTLS_client_method()));
	auto fail = [&](const char *what) {
		*part = what;
		*reason = first_reason();
		ERR_clear_error();
		return Owned<SSL_CTX>();
	};

	if (!context || !SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(context.get(), CIPHERS))
		return fail("");
	/* Each session makes a handshake of its own, and makes it once. */
	SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);

	if (!trust(context.get(), material.ca))
		return fail("ca");
	if (!present(context.get(), material.cert))
		return fail("cert");
	if (!sign_with(context.get(), material.key))
		return fail("key");
	return context;
}
