// The thread that receives multicast messages, many a system call, into a BatchQueue.
#include "reader.h"

#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "thread.h"

/* Messages of one recvmmsg. */
static const size_t MESSAGES = 128;

/* Longest message: generic netlink's are shorter than a page. */
static const size_t MESSAGE_OCTETS = 8192;

/*
 * After a read the thread leaves the socket alone for so long. A first message
 * is read at once; under load hundreds are read together, and meanwhile the
 * kernel, in the middle of forwarding a packet, has nobody to wake.
 */
static const int PAUSE_MILLISECONDS = 2;

Reader::Reader(GenlSocket &socket, BatchQueue &queue, std::function<void()> wake)
	: socket(socket), queue(queue), wake(std::move(wake)), space(MESSAGES * MESSAGE_OCTETS),
	  senders(MESSAGES), parts(MESSAGES), headers(MESSAGES)
{
	for (size_t i = 0; i < MESSAGES; i++) {
		parts[i] = { space.data() + i * MESSAGE_OCTETS, MESSAGE_OCTETS };
		headers[i].msg_hdr.msg_name = &senders[i];
		headers[i].msg_hdr.msg_iov = &parts[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
}

Reader::~Reader()
{
	stop();
}

int Reader::start(const char **call)
{
	struct epoll_event readable = {};

	*call = "epoll_create1";
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		return errno;
	*call = "eventfd";
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return errno;
	*call = "epoll_ctl";
	readable.events = EPOLLIN;
	readable.data.fd = socket.fd();
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket.fd(), &readable))
		return errno;
	readable.data.fd = event;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, event, &readable))
		return errno;
	*call = "pthread_create";
	int error = start_thread(&thread, main, this);
	started = !error;
	if (started)
		pthread_setname_np(thread, "ioam-netlink");
	return error;
}

void Reader::stop()
{
	if (started) {
		stopping = true;
		go_on();
		pthread_join(thread, nullptr);
		started = false;
	}
	if (epoll >= 0)
		close(epoll);
	if (event >= 0)
		close(event);
	epoll = event = -1;
}

void Reader::go_on()
{
	uint64_t one = 1;

	while (write(event, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

void Reader::finish()
{
	finishing = true;
	go_on();
}

void *Reader::main(void *self)
{
	static_cast<Reader *>(self)->run();
	return nullptr;
}

void Reader::run()
{
	struct epoll_event ready[2];

	while (!stopping) {
		bool last = finishing;
		switch (receive()) {
		case State::FAILED:
			drained = true;
			wake();
			return;
		case State::FULL:
			/* Until go_on(): meanwhile the kernel's buffer fills. */
			wait_for_event(-1);
			continue;
		case State::EMPTY:
			if (last)
				drained = true;
			break;
		}
		wait_for_event(PAUSE_MILLISECONDS);
		/* The pause may have taken finish()'s or stop()'s event: these tell of them too. */
		while (!stopping && finishing == drained && epoll_wait(epoll, ready, 2, -1) < 0 &&
		       errno == EINTR)
			continue;
	}
}

/* Waits for go_on() or the end of the time, and looks at nothing else. */
void Reader::wait_for_event(int milliseconds)
{
	struct pollfd waited = { event, POLLIN, 0 };
	uint64_t times;

	if (poll(&waited, 1, milliseconds) > 0)
		while (read(event, &times, sizeof(times)) < 0 && errno == EINTR)
			continue;
}

/* Reads until the socket is empty or the queue full. */
Reader::State Reader::receive()
{
	for (;;) {
		if (!hand_over())
			return State::FULL;
		if (stopping)
			return State::EMPTY;
		int received = read_messages();
		if (received < 0) {
			if (errno == EAGAIN)
				return State::EMPTY;
			/* Not with NETLINK_NO_ENOBUFS; it tells once of what the drop count counts. */
			if (errno == ENOBUFS)
				counters.overruns++;
			if (errno == ENOBUFS || errno == EINTR)
				continue;
			failure = errno;
			return State::FAILED;
		}
		position = 0;
		count = received;
		read_drops();
		/* Fewer than there is space for: that was all; at the end it must be certain. */
		if (count < MESSAGES && !finishing)
			return hand_over() ? State::EMPTY : State::FULL;
	}
}

int Reader::read_messages()
{
	for (size_t i = 0; i < MESSAGES; i++) {
		headers[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);
		headers[i].msg_hdr.msg_flags = 0;
	}
	return recvmmsg(socket.fd(), headers.data(), MESSAGES, MSG_DONTWAIT, nullptr);
}

/* Whether a message that was read is the kernel's, and whole; counts what it is otherwise. */
bool Reader::is_message(unsigned int number)
{
	const struct msghdr &header = headers[number].msg_hdr;

	if (header.msg_flags & MSG_TRUNC) {
		counters.oversized++;
		return false;
	}
	if (header.msg_namelen != sizeof(struct sockaddr_nl) || senders[number].nl_pid != 0) {
		counters.foreign++;
		return false;
	}
	return true;
}

void Reader::discard()
{
	uint64_t found = 0;

	for (;;) {
		for (; position < count; position++)
			found += is_message(position);
		int received = read_messages();
		if (received < 0 && (errno == EINTR || errno == ENOBUFS))
			continue;
		if (received <= 0)
			break;
		position = 0;
		count = received;
	}
	counters.unread += found;
}

/* Moves what was received into the queue and wakes who takes it; false: not all has room. */
bool Reader::hand_over()
{
	uint64_t taken = 0;
	bool room = true;
	bool must_wake;

	if (position == count)
		return true;
	{
		std::unique_lock lock = queue.lock();
		queue.set_drops(counters.drops);
		for (; position < count; position++) {
			if (!is_message(position))
				continue;
			room = queue.put(static_cast<uint8_t *>(parts[position].iov_base),
					 headers[position].msg_len);
			if (!room)
				break;
			taken++;
		}
		must_wake = queue.must_wake();
	}
	counters.messages += taken;
	if (!room)
		counters.stalls++;
	if (must_wake)
		wake();
	return room;
}

/* The kernel counts in 32 bits. */
void Reader::read_drops()
{
	uint32_t memory[SK_MEMINFO_VARS] = {};
	socklen_t size = sizeof(memory);
	std::lock_guard guard(drops_mutex);

	if (getsockopt(socket.fd(), SOL_SOCKET, SO_MEMINFO, memory, &size) ||
	    size <= SK_MEMINFO_DROPS * sizeof(uint32_t))
		return;
	uint32_t more = memory[SK_MEMINFO_DROPS] - seen_drops;
	seen_drops = memory[SK_MEMINFO_DROPS];
	if (more) {
		counters.drops += more;
		counters.overruns++;
	}
}
