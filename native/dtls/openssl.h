// OpenSSL as the node process itself has it: not linked, found when the addon is loaded.
#ifndef DTLS_OPENSSL_H
#define DTLS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

/* Every function of OpenSSL that this addon calls, or that a macro of OpenSSL calls in it. */
#define OPENSSL_FUNCTIONS(X)                  \
	X(BIO_clear_flags)                    \
	X(BIO_free)                           \
	X(BIO_get_data)                       \
	X(BIO_get_new_index)                  \
	X(BIO_meth_new)                       \
	X(BIO_meth_set_ctrl)                  \
	X(BIO_meth_set_read)                  \
	X(BIO_meth_set_write)                 \
	X(BIO_new)                            \
	X(BIO_new_mem_buf)                    \
	X(BIO_set_data)                       \
	X(BIO_set_flags)                      \
	X(BIO_set_init)                       \
	X(DTLS_client_method)                 \
	X(DTLS_get_data_mtu)                  \
	X(ERR_clear_error)                    \
	X(ERR_peek_error)                     \
	X(ERR_peek_last_error)                \
	X(ERR_reason_error_string)            \
	X(EVP_PKEY_free)                      \
	X(OpenSSL_version_num)                \
	X(PEM_read_bio_PrivateKey)            \
	X(PEM_read_bio_X509)                  \
	X(PEM_read_bio_X509_AUX)              \
	X(SSL_CTX_check_private_key)          \
	X(SSL_CTX_ctrl)                       \
	X(SSL_CTX_free)                       \
	X(SSL_CTX_get_cert_store)             \
	X(SSL_CTX_new)                        \
	X(SSL_CTX_set_cipher_list)            \
	X(SSL_CTX_set_options)                \
	X(SSL_CTX_use_PrivateKey)             \
	X(SSL_CTX_use_certificate)            \
	X(SSL_alert_desc_string_long)         \
	X(SSL_ctrl)                           \
	X(SSL_do_handshake)                   \
	X(SSL_free)                           \
	X(SSL_get0_param)                     \
	X(SSL_get_error)                      \
	X(SSL_get_ex_data)                    \
	X(SSL_get_ex_data_X509_STORE_CTX_idx) \
	X(SSL_get_verify_result)              \
	X(SSL_new)                            \
	X(SSL_read)                           \
	X(SSL_set_bio)                        \
	X(SSL_set_connect_state)              \
	X(SSL_set_ex_data)                    \
	X(SSL_set_info_callback)              \
	X(SSL_set_verify)                     \
	X(SSL_shutdown)                       \
	X(SSL_write)                          \
	X(X509_STORE_CTX_get0_cert)           \
	X(X509_STORE_CTX_get_ex_data)         \
	X(X509_STORE_add_cert)                \
	X(X509_VERIFY_PARAM_set1_host)        \
	X(X509_VERIFY_PARAM_set1_ip_asc)      \
	X(X509_VERIFY_PARAM_set_hostflags)    \
	X(X509_free)                          \
	X(X509_verify_cert_error_string)      \
	X(i2d_X509)

/* Weakly: a process without one of them loads the addon all the same, and is told so. */
#define BIND_WEAKLY(name) extern "C" __attribute__((weak)) decltype(name) name;
OPENSSL_FUNCTIONS(BIND_WEAKLY)
#undef BIND_WEAKLY

/* Name of the first function that the process lacks; nullptr: it has them all. */
const char *missing_function();

/* Why the first of the failures since ERR_clear_error happened, in OpenSSL's words. */
std::string first_reason();

struct Freed {
	void operator()(BIO *bio) const;
	void operator()(EVP_PKEY *key) const;
	void operator()(SSL *ssl) const;
	void operator()(SSL_CTX *context) const;
	void operator()(X509 *certificate) const;
};

template <typename T> using Owned = std::unique_ptr<T, Freed>;

#endif
