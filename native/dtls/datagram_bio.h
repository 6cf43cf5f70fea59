// Between OpenSSL and the socket: a datagram a record, held back where many go out at once.
#ifndef DTLS_DATAGRAM_BIO_H
#define DTLS_DATAGRAM_BIO_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "openssl.h"

class DatagramBio {
public:
	/* Owns the connected socket; must live longer than the BIO. */
	DatagramBio(int fd, int family) : fd(fd), family(family)
	{
	}
	~DatagramBio();
	DatagramBio(const DatagramBio &) = delete;
	DatagramBio &operator=(const DatagramBio &) = delete;

	/* For SSL_set_bio, which takes it over; nullptr without memory. */
	BIO *make();

	/* Octets of IP and UDP headers. */
	int header_length() const;

	/* Octets of a datagram that the path takes whole, without these headers. */
	long mtu() const;

	/* So many datagrams are read until this is called again: a flood must not hold the loop. */
	void start_turn()
	{
		reads_left = READS_A_TURN;
	}

	/* From now on records of data are held back until `send_held`; all else is sent at once. */
	void hold_back()
	{
		holding = true;
	}
	/* Octets held back. */
	size_t held() const
	{
		return records.size();
	}
	/*
	 * Sends what was held back, in one call: records of one length, the last may be
	 * shorter. What the kernel does not take is forgotten. Returns how many it took, or -1
	 * with errno set.
	 */
	ssize_t send_held(bool *segments);

	const int fd;
	const int family;
	/* Of the last call that failed for good: an errno. */
	int error = 0;
	/* Whether a failure to send is one for good; else the record counts as lost on the way. */
	bool strict = true;

private:
	static constexpr int READS_A_TURN = 64;

	static int on_read(BIO *bio, char *data, int size);
	static int on_write(BIO *bio, const char *data, int length);
	static long on_ctrl(BIO *bio, int command, long number, void *pointer);
	static BIO_METHOD *method();

	int reads_left = READS_A_TURN;
	bool holding = false;
	/* Octets of the first record held back. */
	size_t record = 0;
	std::vector<uint8_t> records;
};

#endif
