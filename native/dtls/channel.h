// A DTLS client on a socket: handshake, records out. Knows nothing of Node.
#ifndef DTLS_CHANNEL_H
#define DTLS_CHANNEL_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "datagram_bio.h"
#include "openssl.h"

class Channel {
public:
	enum class State { HANDSHAKE, OPEN, OVER };

	/*
	 * Why it is over. The kinds: "alert" of the peer, the "certificate" of the peer,
	 * "protocol", "closed" by the peer, "system". The reason is in OpenSSL's words, the
	 * number that of the alert, of OpenSSL's verdict, or an errno.
	 */
	struct Failure {
		const char *kind = nullptr;
		std::string reason;
		int number = 0;
	};

	Channel() = default;
	Channel(const Channel &) = delete;
	Channel &operator=(const Channel &) = delete;

	/* Whom the peer's certificate has to be for. False: out of memory, or no such name. */
	bool prepare(SSL_CTX *context, const std::string &name, bool name_is_address);

	/* Connects a socket to a numeric address. 0, or an errno and the name of the call. */
	int connect(int family, const std::string &address, int port, int send_buffer,
		    const char **call);

	/* Goes on with the handshake, as far as it goes without waiting. */
	void shake_hands();

	/* The peer has nothing to say but alerts; what else it sends is discarded. */
	void read_away();

	/* Milliseconds until `resend` is due; -1: it is not. */
	int64_t resend_after();

	/* Sends the last flight again, in fragments of what the path is known to take by now. */
	void resend();

	/*
	 * Encrypts and sends messages of `segment` octets, the last may be shorter. Octets of
	 * those that the kernel took; 0 when the socket is full; a negated errno when it took
	 * none. `state` tells when that was the end.
	 */
	ssize_t send(const uint8_t *data, size_t length, size_t segment);

	/* Tells the peer, gives everything back. Safe to repeat. */
	void close();

	/* Octets of a packet to the peer, as the kernel knows it; 0: unknown. */
	int path_mtu() const;

	/* Octets of a packet that are not the message, once it is open. */
	size_t header_length() const;

	int fd() const
	{
		return socket ? socket->fd : -1;
	}

	State state = State::HANDSHAKE;
	Failure failure;
	/* The peer's, DER, accepted or not; empty: it has shown none yet. */
	std::string certificate;
	/* OpenSSL has something to send, and no room for it. */
	bool blocked = false;

private:
	void conclude(int result);
	void fail(const char *kind, const std::string &reason, int number = 0);
	void measure_overhead();
	size_t seal(const uint8_t *data, size_t length, size_t segment);
	void keep(X509 *shown);
	static void on_info(const SSL *ssl, int where, int value);
	static int on_verify(int accepted, X509_STORE_CTX *store);

	/* Before `ssl`, whose BIO refers to it. */
	std::unique_ptr<DatagramBio> socket;
	Owned<SSL> ssl;
	bool segments = false;
	/* Octets that encryption adds to a message at most. */
	size_t overhead = 0;
	/* The peer's last fatal alert, -1: none. */
	int alert = -1;
};

#endif
