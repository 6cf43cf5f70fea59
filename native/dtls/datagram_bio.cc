// Between OpenSSL and the socket: a datagram a record, held back where many go out at once.
#include "datagram_bio.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "../udp-batch/connection.h"
#include "../udp-batch/datagrams.h"

DatagramBio::~DatagramBio()
{
	close(fd);
}

BIO_METHOD *DatagramBio::method()
{
	/* One for all sessions and threads, as long as the process lives. */
	static BIO_METHOD *const method = [] {
		BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
						"connected datagram socket");
		if (made) {
			BIO_meth_set_read(made, on_read);
			BIO_meth_set_write(made, on_write);
			BIO_meth_set_ctrl(made, on_ctrl);
		}
		return made;
	}();

	return method;
}

BIO *DatagramBio::make()
{
	BIO *bio = method() ? BIO_new(method()) : nullptr;

	if (bio) {
		BIO_set_data(bio, this);
		BIO_set_init(bio, 1);
	}
	return bio;
}

int DatagramBio::header_length() const
{
	return (family == AF_INET6 ? 40 : 20) + 8;
}

long DatagramBio::mtu() const
{
	int known = path_mtu_of(fd, family);

	/* Not known: what every path has to carry. */
	if (known == 0)
		known = family == AF_INET6 ? 1280 : 576;
	return std::min<long>(known - header_length(), MAX_OCTETS);
}

ssize_t DatagramBio::send_held(bool *segments)
{
	holding = false;
	if (records.empty())
		return 0;
	ssize_t taken = send_datagrams(fd, segments, records.data(), records.size(), record);
	records.clear();
	return taken < 0 ? -1 : (taken + record - 1) / record;
}

int DatagramBio::on_read(BIO *bio, char *data, int size)
{
	DatagramBio *self = static_cast<DatagramBio *>(BIO_get_data(bio));
	ssize_t length;

	BIO_clear_retry_flags(bio);
	/* An empty datagram has no record; OpenSSL would take it for the end. */
	do {
		if (self->reads_left-- <= 0) {
			BIO_set_retry_read(bio);
			return -1;
		}
		length = recv(self->fd, data, size, 0);
	} while (length == 0 || (length < 0 && errno == EINTR));
	if (length > 0)
		return length;
	/* Nobody listens at the peer's port: for good. Anything else concerns the way to it. */
	if (errno == ECONNREFUSED)
		self->error = errno;
	else
		BIO_set_retry_read(bio);
	return -1;
}

static ssize_t send_datagram(int fd, const char *data, int length)
{
	ssize_t sent = -1;

	/* Twice: what a router has said of an earlier datagram fails the first try. */
	for (int tries = 0; tries < 2 && sent < 0; tries++) {
		do {
			sent = send(fd, data, length, 0);
		} while (sent < 0 && errno == EINTR);
		if (sent < 0 && errno != EMSGSIZE)
			break;
	}
	return sent;
}

int DatagramBio::on_write(BIO *bio, const char *data, int length)
{
	DatagramBio *self = static_cast<DatagramBio *>(BIO_get_data(bio));
	ssize_t sent;

	BIO_clear_retry_flags(bio);
	if (self->holding && data[0] == SSL3_RT_APPLICATION_DATA) {
		if (self->records.empty())
			self->record = length;
		self->records.insert(self->records.end(), data, data + length);
		return length;
	}
	sent = send_datagram(self->fd, data, length);
	if (sent >= 0)
		return sent;
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		BIO_set_retry_write(bio);
		return -1;
	}
	/* Too long for the path, no memory just now: lost on the way, and sent again. */
	if (errno == EMSGSIZE || errno == ENOBUFS || (!self->strict && errno != ECONNREFUSED))
		return length;
	self->error = errno;
	return -1;
}

/* What OpenSSL asks of a BIO under DTLS; to all else the answer is no. */
long DatagramBio::on_ctrl(BIO *bio, int command, long, void *)
{
	DatagramBio *self = static_cast<DatagramBio *>(BIO_get_data(bio));

	switch (command) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
		return self->mtu();
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return (self->family == AF_INET6 ? 1280 : 576) - self->header_length();
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return self->header_length();
	default:
		return 0;
	}
}
