// Sends a buffer as datagrams of one length in one system call.
#include "datagrams.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

/* One call of the kernel's segmentation offload; all datagrams are taken or none. */
static ssize_t send_segmented(int fd, uint8_t *data, size_t length, size_t segment)
{
	size_t count = std::min(MAX_DATAGRAMS, std::max<size_t>(1, MAX_OCTETS / segment));
	struct iovec part = { data, std::min(length, count * segment) };
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {};
	struct msghdr message = {};
	uint16_t size = segment;
	ssize_t taken;

	message.msg_iov = &part;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	struct cmsghdr *option = CMSG_FIRSTHDR(&message);
	option->cmsg_level = IPPROTO_UDP;
	option->cmsg_type = UDP_SEGMENT;
	option->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(option), &size, sizeof(size));
	do {
		taken = sendmsg(fd, &message, 0);
	} while (taken < 0 && errno == EINTR);
	return taken;
}

/* Datagram by datagram, in one call; as many as the kernel takes. */
static ssize_t send_messages(int fd, uint8_t *data, size_t length, size_t segment)
{
	struct iovec parts[MAX_DATAGRAMS];
	struct mmsghdr messages[MAX_DATAGRAMS] = {};
	unsigned int count = 0;
	size_t taken = 0;
	int sent;

	for (size_t at = 0; at < length && count < MAX_DATAGRAMS; at += segment, count++) {
		parts[count] = { data + at, std::min(segment, length - at) };
		messages[count].msg_hdr.msg_iov = &parts[count];
		messages[count].msg_hdr.msg_iovlen = 1;
	}
	do {
		sent = sendmmsg(fd, messages, count, 0);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -1;
	for (int i = 0; i < sent; i++)
		taken += parts[i].iov_len;
	return taken;
}

ssize_t send_datagrams(int fd, bool *segments, uint8_t *data, size_t length, size_t segment)
{
	if (*segments && length > segment) {
		ssize_t taken = send_segmented(fd, data, length, segment);
		/*
		 * Not with this route's device or policy. Or a router has said of an earlier
		 * datagram that it was too long, which these need not be: each by itself.
		 */
		bool one_by_one = taken < 0 && (errno == EIO || errno == EOPNOTSUPP ||
						errno == EINVAL || errno == EMSGSIZE);
		if (!one_by_one)
			return taken;
		if (errno == EIO || errno == EOPNOTSUPP)
			*segments = false;
	}
	return send_messages(fd, data, length, segment);
}
