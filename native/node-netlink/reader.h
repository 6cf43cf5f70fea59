// The thread that receives multicast messages, many a system call, into a BatchQueue.
#ifndef NODE_NETLINK_READER_H
#define NODE_NETLINK_READER_H

#include <pthread.h>
#include <sys/socket.h>

#include <linux/netlink.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "batch_queue.h"
#include "genl_socket.h"

/* Since the socket was opened. */
struct ReaderCounters {
	std::atomic<uint64_t> messages{ 0 };
	/* Reads after which the kernel had dropped more than before, and ENOBUFS. */
	std::atomic<uint64_t> overruns{ 0 };
	/* Longer than any message of the kernel's ought to be: not handed on. */
	std::atomic<uint64_t> oversized{ 0 };
	/* Not sent by the kernel: not handed on. */
	std::atomic<uint64_t> foreign{ 0 };
	/* What the kernel dropped. */
	std::atomic<uint64_t> drops{ 0 };
	/* Times that the queue was full. */
	std::atomic<uint64_t> stalls{ 0 };
	/* What discard() found: received by nobody. */
	std::atomic<uint64_t> unread{ 0 };
};

class Reader {
public:
	Reader(GenlSocket &socket, BatchQueue &queue, std::function<void()> wake);
	~Reader();
	Reader(const Reader &) = delete;
	Reader &operator=(const Reader &) = delete;

	/* 0 or an errno, *call naming what failed. */
	int start(const char **call);
	/* Ends the thread and waits for its end. */
	void stop();
	/* There is room in the queue again. */
	void go_on();
	/* Nothing more comes: once all that came is in the queue, drained becomes true. */
	void finish();
	/* After stop(): counts, and throws away, what came and is not in the queue. */
	void discard();
	/* Brings counters.drops up to date; any thread. */
	void read_drops();

	ReaderCounters counters;
	/* The errno that ended the thread early; 0: none. */
	std::atomic<int> failure{ 0 };
	std::atomic<bool> drained{ false };

private:
	enum class State { EMPTY, FULL, FAILED };

	static void *main(void *self);
	void run();
	State receive();
	int read_messages();
	bool is_message(unsigned int number);
	bool hand_over();
	void wait_for_event(int milliseconds);

	GenlSocket &socket;
	BatchQueue &queue;
	std::function<void()> wake;
	std::atomic<bool> stopping{ false };
	std::atomic<bool> finishing{ false };
	bool started = false;
	pthread_t thread;
	int epoll = -1;
	int event = -1;

	/* What one recvmmsg fills; messages position … count - 1 are not yet in the queue. */
	std::vector<uint8_t> space;
	std::vector<struct sockaddr_nl> senders;
	std::vector<struct iovec> parts;
	std::vector<struct mmsghdr> headers;
	unsigned int position = 0;
	unsigned int count = 0;
	std::mutex drops_mutex;
	uint32_t seen_drops = 0;
};

#endif
