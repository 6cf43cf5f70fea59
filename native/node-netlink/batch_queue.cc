// Batches of messages between the thread that receives and the event loop: bounded, reused memory.
#include "batch_queue.h"

#include <sys/mman.h>

#include <cstring>

static void *reserve(size_t size)
{
	void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? nullptr : memory;
}

std::shared_ptr<Arena> Arena::create(size_t batches)
{
	std::shared_ptr<Arena> arena(new Arena(batches));

	arena->octets = static_cast<uint8_t *>(reserve(arena->octets_size()));
	arena->index = static_cast<uint32_t *>(reserve(arena->index_size()));
	return arena->octets && arena->index ? arena : nullptr;
}

Arena::~Arena()
{
	if (octets)
		munmap(octets, octets_size());
	if (index)
		munmap(index, index_size());
}

BatchQueue::BatchQueue(std::shared_ptr<Arena> memory)
	: arena(std::move(memory)), states(arena->batches)
{
	for (size_t number = arena->batches; number-- > 0;)
		free.push_back(number);
}

/* Begins to fill another batch. */
bool BatchQueue::begin()
{
	if (filling >= 0) {
		states[filling].drops = drops;
		full.push_back(filling);
	}
	filling = -1;
	if (free.empty())
		return false;
	filling = free.back();
	free.pop_back();
	states[filling] = {};
	return true;
}

bool BatchQueue::put(const uint8_t *message, size_t size)
{
	size_t padded = (size + 7) & ~size_t(7);

	if (filling < 0 || states[filling].count == BATCH_MESSAGES ||
	    states[filling].octets + padded > BATCH_OCTETS) {
		if (!begin()) {
			starved = true;
			return false;
		}
	}
	State &state = states[filling];
	size_t offset = filling * BATCH_OCTETS + state.octets;
	uint32_t *entry = arena->index + (filling * BATCH_MESSAGES + state.count) * 2;
	memcpy(arena->octets + offset, message, size);
	entry[0] = offset;
	entry[1] = size;
	state.octets += padded;
	state.count++;
	return true;
}

void BatchQueue::set_drops(uint64_t total)
{
	drops = total;
}

bool BatchQueue::must_wake()
{
	bool anything = !full.empty() || (filling >= 0 && states[filling].count > 0);
	bool wake = anything && !woken;

	woken = woken || wake;
	return wake;
}

bool BatchQueue::take(Batch *batch)
{
	std::lock_guard guard(mutex);
	uint32_t number;

	if (!full.empty()) {
		number = full.front();
		full.pop_front();
	} else if (filling >= 0 && states[filling].count > 0) {
		number = filling;
		states[number].drops = drops;
		filling = -1;
	} else {
		woken = false;
		return false;
	}
	State &state = states[number];
	state.taken = true;
	*batch = { number, state.count, state.drops };
	return true;
}

bool BatchQueue::give_back(uint32_t number)
{
	std::lock_guard guard(mutex);
	bool waited = starved;

	if (number >= states.size() || !states[number].taken)
		return false;
	states[number].taken = false;
	free.push_back(number);
	starved = false;
	return waited;
}
