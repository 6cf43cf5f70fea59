// Receives IPFIX and counts messages, records and gaps in the sequence numbers: the collector of the benchmarks.
//
// Usage: receiver udp|udp-gro|tcp ADDRESS spins|sleeps. Prints its port; answers each line on standard input with
// counts. udp-gro: takes in one piece what was sent in one piece. spins: sleeps only when nothing has come for a
// while. Records of options count in the sequence numbers alone.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define OCTETS 65536
#define STREAM_OCTETS (4 << 20)

/* How long it looks for more before it sleeps: waking it would be at the sender's expense. */
#define SPIN_NS 20000000

/* RFC 7011, sections 3.1 to 3.4. */
#define MESSAGE_HEADER 16
#define SET_HEADER 4
#define TEMPLATES 2
#define OPTIONS_TEMPLATES 3
#define FIRST_DATA_SET 256
#define SETS 65536
#define VARIABLE 65535
#define ENTERPRISE 0x8000

/* What a template says. */
static struct {
	uint16_t *lengths;
	uint32_t fields;
	/* Of a record; 0: unknown, or they vary. */
	uint32_t octets;
	bool of_options;
} sets[SETS];

/* The next sequence number of each observation domain. */
static struct {
	uint32_t id, expected;
} domains[16];

static uint64_t messages, templates, records, gaps, malformed;
static uint8_t first_record[OCTETS];
static size_t first_octets;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint32_t u16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint32_t u32(const uint8_t *at)
{
	return u16(at) << 16 | u16(at + 2);
}

/* Learns one template; octets taken, 0: it makes no sense. */
static size_t learn(const uint8_t *t, size_t length, bool of_options)
{
	size_t at = of_options ? 6 : 4;
	uint32_t id, fields, octets = 0;
	bool varies = false;
	uint16_t *lengths;

	if (length < at || u16(t) < FIRST_DATA_SET)
		return 0;
	id = u16(t);
	fields = u16(t + 2);
	lengths = realloc(sets[id].lengths, (fields + 1) * sizeof(*lengths));
	if (!lengths)
		fail("realloc");
	sets[id].lengths = lengths;
	sets[id].fields = 0;
	for (uint32_t i = 0; i < fields; i++) {
		if (length < at + 4)
			return 0;
		lengths[i] = u16(t + at + 2);
		varies |= lengths[i] == VARIABLE;
		octets += lengths[i];
		at += u16(t + at) & ENTERPRISE ? 8 : 4;
	}
	if (at > length)
		return 0;
	sets[id].fields = fields;
	sets[id].octets = varies ? 0 : octets;
	sets[id].of_options = of_options;
	templates++;
	return at;
}

/* Octets of a record whose fields vary (section 7); 0: it makes no sense. */
static size_t record_length(uint32_t id, const uint8_t *r, size_t length)
{
	size_t at = 0;

	for (uint32_t i = 0; i < sets[id].fields; i++) {
		size_t octets = sets[id].lengths[i];

		if (octets == VARIABLE) {
			if (at + 3 > length && (at >= length || r[at] == 255))
				return 0;
			octets = r[at] == 255 ? 3 + u16(r + at + 1) : 1u + r[at];
		}
		at += octets;
	}
	return at <= length ? at : 0;
}

/* Takes a set, adding its data records to `count`; false: it makes no sense. */
static bool set(uint32_t id, const uint8_t *content, size_t length, uint32_t *count)
{
	uint32_t found = 0;
	size_t at = 0;

	if (id < FIRST_DATA_SET) {
		for (size_t taken; at < length; at += taken) {
			taken = learn(content + at, length - at, id == OPTIONS_TEMPLATES);
			if (!taken)
				return false;
		}
		return id == TEMPLATES || id == OPTIONS_TEMPLATES;
	}
	if (sets[id].octets) {
		found = length / sets[id].octets;
		at = found * sets[id].octets;
	} else {
		for (size_t taken; (taken = record_length(id, content + at, length - at)); found++)
			at += taken;
	}
	if (at != length)
		return false;
	*count += found;
	if (sets[id].of_options)
		return true;
	if (!records) {
		first_octets = length / (found ? found : 1);
		memcpy(first_record, content, first_octets);
	}
	records += found;
	return true;
}

static void sequence(uint32_t domain, uint32_t number, uint32_t count)
{
	int i = 0;

	while (i < 15 && domains[i].id != domain && domains[i].expected)
		i++;
	gaps += domains[i].expected != number;
	domains[i].id = domain;
	domains[i].expected = number + count;
}

static void message(const uint8_t *m, size_t length)
{
	uint32_t count = 0;
	size_t at = MESSAGE_HEADER;

	if (length < at || u16(m) != 10 || u16(m + 2) != length) {
		malformed++;
		return;
	}
	messages++;
	while (length - at >= SET_HEADER) {
		size_t octets = u16(m + at + 2);

		if (octets < SET_HEADER || octets > length - at ||
		    !set(u16(m + at), m + at + SET_HEADER, octets - SET_HEADER, &count))
			break;
		at += octets;
	}
	malformed += at != length;
	sequence(u32(m + 12), u32(m + 8), count);
}

static void report(void)
{
	printf("{\"messages\":%lu,\"templates\":%lu,\"records\":%lu,\"gaps\":%lu,\"malformed\":%lu,"
	       "\"first\":\"",
	       messages, templates, records, gaps, malformed);
	for (size_t i = 0; i < first_octets; i++)
		printf("%02x", first_record[i]);
	printf("\"}\n");
	fflush(stdout);
}

static void datagram(const uint8_t *data, size_t length, struct msghdr *header)
{
	size_t step = length;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		int segment;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof(segment));
		step = segment;
	}
	for (size_t at = 0; at < length; at += step)
		message(data + at, length - at < step ? length - at : step);
}

/* Takes what is there; false: nothing was. */
static bool receive_datagrams(int fd)
{
	static uint8_t data[BATCH][OCTETS], control[BATCH][64];
	static struct iovec parts[BATCH];
	static struct mmsghdr headers[BATCH];
	int count;

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ data[i], OCTETS };
		headers[i].msg_hdr = (struct msghdr){
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	count = recvmmsg(fd, headers, BATCH, MSG_DONTWAIT, NULL);
	if (count < 0 && errno != EAGAIN)
		fail("recvmmsg");
	for (int i = 0; i < count; i++)
		datagram(data[i], headers[i].msg_len, &headers[i].msg_hdr);
	return count > 0;
}

/* The messages of a stream. */
static bool receive_stream(int fd)
{
	static uint8_t data[STREAM_OCTETS];
	static size_t held;
	size_t at = 0;
	ssize_t taken = recv(fd, data + held, sizeof(data) - held, MSG_DONTWAIT);

	if (taken < 0 && errno != EAGAIN)
		fail("recv");
	if (taken <= 0)
		return false;
	held += taken;
	while (held - at >= MESSAGE_HEADER) {
		size_t length = u16(data + at + 2);

		if (length < MESSAGE_HEADER) {
			malformed++;
			length = MESSAGE_HEADER;
		}
		if (held - at < length)
			break;
		message(data + at, length);
		at += length;
	}
	memmove(data, data + at, held - at);
	held -= at;
	return true;
}

static int bind_to(const char *address, bool stream, bool gro)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
				  .ai_socktype = stream ? SOCK_STREAM : SOCK_DGRAM };
	struct addrinfo *found;
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);
	int fd, one = 1, buffer = 1 << 30;

	if (getaddrinfo(address, "0", &hints, &found))
		fail(address);
	fd = socket(found->ai_family, found->ai_socktype, 0);
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen))
		fail(address);
	if (stream && listen(fd, 1))
		fail("listen");
	if (!stream && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		fail("SO_RCVBUFFORCE");
	if (gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)))
		fail("UDP_GRO");
	/* The port is at the same place in sockaddr_in. */
	if (getsockname(fd, (struct sockaddr *)&name, &size))
		fail("getsockname");
	printf("%u\n", ntohs(name.sin6_port));
	fflush(stdout);
	freeaddrinfo(found);
	return fd;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* The only connection, unless standard input ends before. */
static int connection(int listener)
{
	struct pollfd sources[] = { { STDIN_FILENO, POLLIN, 0 }, { listener, POLLIN, 0 } };
	int fd;

	if (poll(sources, 2, -1) < 0)
		fail("poll");
	if (sources[0].revents)
		exit(0);
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		fail("accept");
	return fd;
}

/* Receives for a while; false: nothing came, for so long that it may sleep. */
static bool receive(int fd, bool stream, bool spins)
{
	static uint64_t last;
	bool any = false;

	for (int i = 0; i < BATCH; i++) {
		bool more = stream ? receive_stream(fd) : receive_datagrams(fd);

		any |= more;
		if (!more && !spins)
			break;
	}
	if (any)
		last = now_ns();
	return any || (spins && now_ns() - last < SPIN_NS);
}

int main(int argc, char **argv)
{
	bool stream, spins;
	char line[64];
	int fd;

	if (argc != 4)
		return 2;
	stream = !strcmp(argv[1], "tcp");
	spins = !strcmp(argv[3], "spins");
	fd = bind_to(argv[2], stream, !strcmp(argv[1], "udp-gro"));
	if (stream)
		fd = connection(fd);
	for (;;) {
		bool busy = receive(fd, stream, spins);
		struct pollfd sources[] = { { STDIN_FILENO, POLLIN, 0 }, { fd, POLLIN, 0 } };

		if (poll(sources, 2, busy ? 0 : -1) > 0 && sources[0].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			report();
		}
	}
}
