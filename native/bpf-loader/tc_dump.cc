// What hangs on an interface's ingress and egress hooks of tc, read through rtnetlink.
#include "tc_dump.h"

#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

using Attributes = std::function<void(unsigned short type, const void *data, size_t size)>;

static void each_attribute(struct rtattr *attribute, int length, const Attributes &handle)
{
	for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
		handle(attribute->rta_type & NLA_TYPE_MASK, RTA_DATA(attribute),
		       RTA_PAYLOAD(attribute));
}

static std::string text(const void *data, size_t size)
{
	return std::string(static_cast<const char *>(data),
			   strnlen(static_cast<const char *>(data), size));
}

static uint32_t number(const void *data, size_t size)
{
	uint32_t value = 0;

	if (size >= sizeof(value))
		memcpy(&value, data, sizeof(value));
	return value;
}

using Messages = std::function<void(struct tcmsg *message, struct rtattr *first, int length)>;

/* Handles what one datagram holds; true when the dump is over, with *error set. */
static bool handle_datagram(char *buffer, ssize_t received, const Messages &handle, int *error)
{
	struct nlmsghdr *header = reinterpret_cast<struct nlmsghdr *>(buffer);
	unsigned int left = received;

	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return true;
		if (header->nlmsg_type == NLMSG_ERROR) {
			*error = -static_cast<struct nlmsgerr *>(NLMSG_DATA(header))->error;
			return true;
		}
		struct tcmsg *message = static_cast<struct tcmsg *>(NLMSG_DATA(header));
		handle(message, TCA_RTA(message), NLMSG_PAYLOAD(header, sizeof(struct tcmsg)));
	}
	return false;
}

static int dump(uint16_t type, int ifindex, uint32_t parent, const Messages &handle)
{
	struct {
		struct nlmsghdr header;
		struct tcmsg message;
	} request;
	alignas(NLMSG_ALIGNTO) char buffer[32768];
	int error = 0;
	bool done = false;

	int socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (socket_fd < 0)
		return errno;
	memset(&request, 0, sizeof(request));
	request.header.nlmsg_len = sizeof(request);
	request.header.nlmsg_type = type;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.message.tcm_ifindex = ifindex;
	request.message.tcm_parent = parent;
	if (send(socket_fd, &request, sizeof(request), 0) < 0)
		error = errno;
	while (!done && !error) {
		ssize_t received = recv(socket_fd, buffer, sizeof(buffer), 0);
		if (received < 0) {
			if (errno == EINTR)
				continue;
			error = errno;
			break;
		}
		done = handle_datagram(buffer, received, handle, &error);
	}
	close(socket_fd);
	return error;
}

int dump_ingress_qdisc(int ifindex, TcQdisc *qdisc)
{
	return dump(RTM_GETQDISC, ifindex, 0,
		    [=](struct tcmsg *message, struct rtattr *first, int length) {
			    if (message->tcm_ifindex != ifindex ||
				message->tcm_parent != TC_H_INGRESS)
				    return;
			    each_attribute(first, length,
					   [=](unsigned short type, const void *data, size_t size) {
						   if (type == TCA_KIND)
							   qdisc->kind = text(data, size);
						   if (type == TCA_INGRESS_BLOCK ||
						       type == TCA_EGRESS_BLOCK)
							   qdisc->shared_block = true;
					   });
		    });
}

static void read_bpf_options(const void *data, size_t size, TcFilter *filter)
{
	each_attribute(static_cast<struct rtattr *>(const_cast<void *>(data)), size,
		       [=](unsigned short type, const void *value, size_t length) {
			       if (type == TCA_BPF_ID)
				       filter->program_id = number(value, length);
			       if (type == TCA_BPF_NAME)
				       filter->name = text(value, length);
		       });
}

int dump_filters(int ifindex, uint32_t parent, std::vector<TcFilter> *filters)
{
	return dump(RTM_GETTFILTER, ifindex, parent,
		    [=](struct tcmsg *message, struct rtattr *first, int length) {
			    TcFilter filter;
			    const void *options = nullptr;
			    size_t options_size = 0;

			    filter.handle = message->tcm_handle;
			    filter.priority = TC_H_MAJ(message->tcm_info) >> 16;
			    each_attribute(first, length,
					   [&](unsigned short type, const void *data, size_t size) {
						   if (type == TCA_KIND)
							   filter.kind = text(data, size);
						   if (type == TCA_CHAIN)
							   filter.chain = number(data, size);
						   if (type == TCA_OPTIONS) {
							   options = data;
							   options_size = size;
						   }
					   });
			    if (filter.kind == "bpf" && options)
				    read_bpf_options(options, options_size, &filter);
			    filters->push_back(filter);
		    });
}
