// Batches of messages between the thread that receives and the event loop: bounded, reused memory.
#ifndef NODE_NETLINK_BATCH_QUEUE_H
#define NODE_NETLINK_BATCH_QUEUE_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

/* Octets of the messages of one batch. */
static const size_t BATCH_OCTETS = 1 << 18;

/* Messages of one batch, each with an offset and a length in the index. */
static const size_t BATCH_MESSAGES = BATCH_OCTETS / 64;

/* The memory of all batches. JavaScript may look at it longer than the queue lives. */
class Arena {
public:
	/* Null when there is not so much memory. */
	static std::shared_ptr<Arena> create(size_t batches);
	~Arena();
	Arena(const Arena &) = delete;
	Arena &operator=(const Arena &) = delete;

	const size_t batches;
	uint8_t *octets = nullptr;
	uint32_t *index = nullptr;
	size_t octets_size() const
	{
		return batches * BATCH_OCTETS;
	}
	size_t index_size() const
	{
		return batches * BATCH_MESSAGES * 2 * sizeof(uint32_t);
	}

private:
	explicit Arena(size_t batches) : batches(batches)
	{
	}
};

/* A batch that somebody has in hand. */
struct Batch {
	uint32_t number;
	uint32_t count;
	/* What the kernel had dropped in all when the batch ended. */
	uint64_t drops;
};

/*
 * One thread puts messages in, another takes batches and gives them back. What
 * was given back last is filled next: memory that is still in the caches, and
 * as little of it as the backlog needs.
 */
class BatchQueue {
public:
	explicit BatchQueue(std::shared_ptr<Arena> arena);

	/* The thread that receives, all under one lock: */
	std::unique_lock<std::mutex> lock()
	{
		return std::unique_lock(mutex);
	}
	/* False: there is no room. */
	bool put(const uint8_t *message, size_t size);
	/* What the kernel has dropped in all, before what is put next. */
	void set_drops(uint64_t drops);
	/* True once until take() has found the queue empty: somebody must be woken. */
	bool must_wake();

	/* The other thread. False: there is none. */
	bool take(Batch *batch);
	/* True: the queue was full, and somebody waits for room. */
	bool give_back(uint32_t number);

private:
	struct State {
		uint32_t octets;
		uint32_t count;
		uint64_t drops;
		bool taken;
	};
	bool begin();

	std::shared_ptr<Arena> arena;
	std::mutex mutex;
	std::vector<State> states;
	/* Given back last: at the end. */
	std::vector<uint32_t> free;
	std::deque<uint32_t> full;
	int filling = -1;
	uint64_t drops = 0;
	bool woken = false;
	bool starved = false;
};

#endif
