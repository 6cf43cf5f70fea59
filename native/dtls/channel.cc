// A DTLS client on a socket: handshake, records out. Knows nothing of Node.
#include "channel.h"

#include <sys/time.h>

#include <algorithm>
#include <cerrno>

#include "../udp-batch/connection.h"
#include "../udp-batch/datagrams.h"

bool Channel::prepare(SSL_CTX *context, const std::string &name, bool name_is_address)
{
	ssl.reset(SSL_new(context));
	if (!ssl)
		return false;
	X509_VERIFY_PARAM *verified = SSL_get0_param(ssl.get());
	X509_VERIFY_PARAM_set_hostflags(verified, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (name_is_address) {
		if (!X509_VERIFY_PARAM_set1_ip_asc(verified, name.c_str()))
			return false;
	} else if (!X509_VERIFY_PARAM_set1_host(verified, name.c_str(), name.size()) ||
		   !SSL_set_tlsext_host_name(ssl.get(), name.c_str())) {
		return false;
	}
	SSL_set_app_data(ssl.get(), this);
	SSL_set_info_callback(ssl.get(), on_info);
	SSL_set_verify(ssl.get(), SSL_VERIFY_PEER, on_verify);
	SSL_set_connect_state(ssl.get());
	return true;
}

/* Keeps the peer's fatal alert: OpenSSL's own error has it in a number that it does not document. */
void Channel::on_info(const SSL *ssl, int where, int value)
{
	Channel *channel = static_cast<Channel *>(SSL_get_app_data(ssl));

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && value >> 8 == SSL3_AL_FATAL)
		channel->alert = value;
}

/* Changes no verdict, but keeps the certificate, which is gone once the handshake has failed. */
int Channel::on_verify(int accepted, X509_STORE_CTX *store)
{
	int index = SSL_get_ex_data_X509_STORE_CTX_idx();
	SSL *ssl = static_cast<SSL *>(X509_STORE_CTX_get_ex_data(store, index));

	static_cast<Channel *>(SSL_get_app_data(ssl))->keep(X509_STORE_CTX_get0_cert(store));
	return accepted;
}

void Channel::keep(X509 *shown)
{
	int length = certificate.empty() ? i2d_X509(shown, nullptr) : -1;

	if (length < 0)
		return;
	certificate.resize(length);
	uint8_t *end = reinterpret_cast<uint8_t *>(certificate.data());
	i2d_X509(shown, &end);
}

int Channel::connect(int family, const std::string &address, int port, int send_buffer,
		     const char **call)
{
	int fd;

	int error = connect_datagrams(family, address, port, send_buffer, &fd, call);
	if (error)
		return error;
	socket = std::make_unique<DatagramBio>(fd, family);
	segments = can_segment(fd);
	BIO *bio = socket->make();
	*call = "BIO_new";
	if (!bio)
		return ENOMEM;
	SSL_set_bio(ssl.get(), bio, bio);
	return 0;
}

void Channel::shake_hands()
{
	socket->start_turn();
	ERR_clear_error();
	int result = SSL_do_handshake(ssl.get());
	if (result != 1) {
		conclude(result);
		return;
	}
	measure_overhead();
	state = State::OPEN;
	blocked = false;
	/* The way to the peer may be away for a while, and come back. */
	socket->strict = false;
}

/* The most that a cipher suite adds: where it works in blocks, it depends on the length. */
void Channel::measure_overhead()
{
	const size_t first = 1400;

	for (size_t mtu = first; mtu < first + EVP_MAX_BLOCK_LENGTH; mtu++) {
		SSL_set_mtu(ssl.get(), mtu);
		overhead = std::max(overhead, mtu - DTLS_get_data_mtu(ssl.get()));
	}
}

void Channel::read_away()
{
	char discarded[SSL3_RT_MAX_PLAIN_LENGTH];
	int result;

	socket->start_turn();
	ERR_clear_error();
	do {
		result = SSL_read(ssl.get(), discarded, sizeof(discarded));
	} while (result > 0);
	conclude(result);
}

int64_t Channel::resend_after()
{
	struct timeval left;

	if (state != State::HANDSHAKE || !DTLSv1_get_timeout(ssl.get(), &left))
		return -1;
	/* Rounded up: a turn before its time would do nothing. */
	return left.tv_sec * 1000 + (left.tv_usec + 999) / 1000;
}

void Channel::resend()
{
	ERR_clear_error();
	SSL_set_mtu(ssl.get(), socket->mtu());
	int result = DTLSv1_handle_timeout(ssl.get());
	if (result < 0)
		conclude(result);
}

/* What a call of OpenSSL that did not succeed means: wait, or it is over. */
void Channel::conclude(int result)
{
	long verified;

	blocked = false;
	switch (SSL_get_error(ssl.get(), result)) {
	case SSL_ERROR_WANT_READ:
		return;
	case SSL_ERROR_WANT_WRITE:
		blocked = true;
		return;
	case SSL_ERROR_ZERO_RETURN:
		return fail("closed", "close notify");
	case SSL_ERROR_SYSCALL:
		return fail("system", "", socket->error ? socket->error : EPROTO);
	default:
		break;
	}
	if (alert >= 0)
		return fail("alert", SSL_alert_desc_string_long(alert), alert & 0xff);
	verified = SSL_get_verify_result(ssl.get());
	if (verified != X509_V_OK)
		return fail("certificate", X509_verify_cert_error_string(verified), verified);
	fail("protocol", first_reason());
}

void Channel::fail(const char *kind, const std::string &reason, int number)
{
	ERR_clear_error();
	state = State::OVER;
	failure = { kind, reason, number };
}

/* Encrypts as many messages as go out in one call; gives the octets of the messages. */
size_t Channel::seal(const uint8_t *data, size_t length, size_t segment)
{
	size_t most = std::min(MAX_DATAGRAMS, MAX_OCTETS / (segment + overhead));
	size_t sealed = 0;

	socket->hold_back();
	ERR_clear_error();
	for (size_t count = 0; count < most && sealed < length; count++) {
		size_t message = std::min(segment, length - sealed);
		int result = SSL_write(ssl.get(), data + sealed, message);

		if (result <= 0) {
			conclude(result);
			break;
		}
		sealed += message;
	}
	return sealed;
}

ssize_t Channel::send(const uint8_t *data, size_t length, size_t segment)
{
	size_t taken = 0;
	int error = 0;

	if (segment == 0 || segment > SSL3_RT_MAX_PLAIN_LENGTH || length == 0)
		return -EINVAL;
	while (taken < length && state == State::OPEN && !error) {
		size_t sealed = seal(data + taken, length - taken, segment);
		ssize_t sent = socket->send_held(&segments);

		if (sent < 0) {
			error = errno;
		} else if (sent * segment < sealed || sealed == 0) {
			/*
			 * The rest is made again: a record is cheap, its number need not follow.
			 * Or there was no room for an alert that has to go first.
			 */
			taken += sent * segment;
			error = EAGAIN;
		} else {
			taken += sealed;
		}
	}
	if (error == ECONNREFUSED)
		fail("system", "", error);
	if (taken > 0 || error == EAGAIN)
		return taken;
	/* An errno, or the end within OpenSSL. */
	return error ? -error : -EPROTO;
}

void Channel::close()
{
	if (state == State::OPEN) {
		ERR_clear_error();
		/* close_notify, once: whether it arrives is the network's affair. */
		SSL_shutdown(ssl.get());
		ERR_clear_error();
	}
	state = State::OVER;
	ssl.reset();
	socket.reset();
}

int Channel::path_mtu() const
{
	return socket ? path_mtu_of(socket->fd, socket->family) : 0;
}

size_t Channel::header_length() const
{
	return socket ? socket->header_length() + overhead : 0;
}
