// Questions to the kernel by generic netlink: families, requests, dumps.
#ifndef NODE_NETLINK_CONTROL_H
#define NODE_NETLINK_CONTROL_H

#include <napi.h>

#include <cstdint>
#include <vector>

#include "genl_socket.h"

/* Messages of an answer: their octets, and offset and length of each. */
struct Answer {
	std::vector<uint8_t> octets;
	std::vector<uint32_t> index;
	/* False: the kernel ended a dump early. IOAM's dumps never go beyond one datagram. */
	bool complete = true;
};

class Control : public Napi::ObjectWrap<Control> {
public:
	static Napi::Function define(Napi::Env env);
	explicit Control(const Napi::CallbackInfo &info);

private:
	Napi::Value family(const Napi::CallbackInfo &info);
	Napi::Value request(const Napi::CallbackInfo &info);
	void close(const Napi::CallbackInfo &info);

	int ask(std::vector<uint8_t> &message, Answer &answer);
	int receive(uint32_t sequence, Answer &answer);
	void drain();

	GenlSocket socket;
	uint32_t sequence = 0;
	/* What the last failed call was. */
	const char *call = "";
};

#endif
