// Questions to the kernel by generic netlink: families, requests, dumps.
#include "control.h"

#include <linux/genetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "failure.h"

/* A dump that changed under way is asked for again, so many times. */
static const int ATTEMPTS = 5;

/* The kernel answers at once; this bounds the wait for one that does not. */
static const struct timeval PATIENCE = { 5, 0 };

/* More than the kernel puts into one datagram of an answer. */
static const size_t DATAGRAM = 1 << 16;

Napi::Function Control::define(Napi::Env env)
{
	return DefineClass(env, "Control",
			   {
				   InstanceMethod<&Control::family>("family"),
				   InstanceMethod<&Control::request>("request"),
				   InstanceMethod<&Control::close>("close"),
			   });
}

/* new Control(descriptor of a network namespace, or -1 for the thread's own) */
Control::Control(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Control>(info)
{
	int error = socket.open(info[0].ToNumber().Int32Value(), 0, &call);

	if (!error && setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &PATIENCE, sizeof(PATIENCE)))
		error = errno;
	if (error)
		throw_errno(info.Env(), error, call);
}

static std::vector<uint8_t> build(uint16_t type, uint16_t flags, uint8_t command, uint8_t version,
				  const uint8_t *attributes, size_t size)
{
	size_t header = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));
	std::vector<uint8_t> message(header + MNL_ALIGN(size));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(message.data());
	struct genlmsghdr *genl = static_cast<struct genlmsghdr *>(
		mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr)));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_len = message.size();
	genl->cmd = command;
	genl->version = version;
	if (size)
		memcpy(message.data() + header, attributes, size);
	return message;
}

static int keep(const struct nlmsghdr *nlh, void *data)
{
	Answer *answer = static_cast<Answer *>(data);
	const uint8_t *octets = reinterpret_cast<const uint8_t *>(nlh);
	size_t offset = answer->octets.size();

	answer->octets.insert(answer->octets.end(), octets, octets + nlh->nlmsg_len);
	answer->octets.resize(offset + MNL_ALIGN(nlh->nlmsg_len));
	answer->index.push_back(offset);
	answer->index.push_back(nlh->nlmsg_len);
	return MNL_CB_OK;
}

/* Whether the end of a dump, if it is in there, says that something failed. libmnl does not look. */
static bool ends_with_error(const void *data, int size)
{
	const struct nlmsghdr *nlh = static_cast<const struct nlmsghdr *>(data);
	int error = 0;

	for (; mnl_nlmsg_ok(nlh, size); nlh = mnl_nlmsg_next(nlh, &size)) {
		if (nlh->nlmsg_type == NLMSG_DONE &&
		    mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
			memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	}
	return error < 0;
}

int Control::receive(uint32_t sequence, Answer &answer)
{
	std::vector<uint8_t> datagram(DATAGRAM);
	unsigned int port = mnl_socket_get_portid(socket.get());

	for (;;) {
		ssize_t size = mnl_socket_recvfrom(socket.get(), datagram.data(), datagram.size());
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		if (ends_with_error(datagram.data(), size))
			answer.complete = false;
		int more = mnl_cb_run(datagram.data(), size, sequence, port, keep, &answer);
		if (more <= MNL_CB_STOP)
			return more < 0 ? errno : 0;
	}
}

/* What is left of an answer that nobody wants any more. */
void Control::drain()
{
	uint8_t octet;

	while (recv(socket.fd(), &octet, sizeof(octet), MSG_DONTWAIT) >= 0)
		continue;
}

/* Sends a message and collects its answer: 0 or an errno. */
int Control::ask(std::vector<uint8_t> &message, Answer &answer)
{
	struct nlmsghdr *nlh = reinterpret_cast<struct nlmsghdr *>(message.data());
	int error = EBADF;

	call = "sendto";
	for (int attempt = 0; socket.get() && attempt < ATTEMPTS; attempt++) {
		answer = {};
		nlh->nlmsg_seq = ++sequence;
		if (mnl_socket_sendto(socket.get(), nlh, nlh->nlmsg_len) < 0)
			return errno;
		call = "recvmsg";
		error = receive(nlh->nlmsg_seq, answer);
		if (error)
			drain();
		/* NLM_F_DUMP_INTR: what is dumped changed meanwhile. */
		if (error != EINTR)
			break;
	}
	return error;
}

/* Attributes by their number, those that are looked at. */
struct Attributes {
	const struct nlattr *byType[CTRL_ATTR_MCAST_GROUPS + 1] = {};

	const struct nlattr *find(uint16_t type, enum mnl_attr_data_type data) const
	{
		const struct nlattr *found = byType[type];
		return found && mnl_attr_validate(found, data) >= 0 ? found : nullptr;
	}
};

static int note(const struct nlattr *attribute, void *data)
{
	Attributes *found = static_cast<Attributes *>(data);
	uint16_t type = mnl_attr_get_type(attribute);

	if (type <= CTRL_ATTR_MCAST_GROUPS)
		found->byType[type] = attribute;
	return MNL_CB_OK;
}

/* One of the family's multicast groups. */
static int note_group(const struct nlattr *group, void *data)
{
	Napi::Object *groups = static_cast<Napi::Object *>(data);
	Attributes found;

	mnl_attr_parse_nested(group, note, &found);
	const struct nlattr *name = found.find(CTRL_ATTR_MCAST_GRP_NAME, MNL_TYPE_NUL_STRING);
	const struct nlattr *id = found.find(CTRL_ATTR_MCAST_GRP_ID, MNL_TYPE_U32);
	if (name && id)
		groups->Set(mnl_attr_get_str(name),
			    Napi::Number::New(groups->Env(), mnl_attr_get_u32(id)));
	return MNL_CB_OK;
}

/* family(name): { id, version, groups: { name: id } }; ENOENT when the kernel has none */
Napi::Value Control::family(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	std::string name = info[0].ToString();
	std::vector<uint8_t> attribute(MNL_ATTR_HDRLEN + MNL_ALIGN(name.size() + 1));
	struct nlattr *header = reinterpret_cast<struct nlattr *>(attribute.data());
	Attributes found;
	Answer answer;

	header->nla_type = CTRL_ATTR_FAMILY_NAME;
	header->nla_len = MNL_ATTR_HDRLEN + name.size() + 1;
	memcpy(attribute.data() + MNL_ATTR_HDRLEN, name.c_str(), name.size() + 1);
	std::vector<uint8_t> message = build(GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1,
					     attribute.data(), attribute.size());
	int error = ask(message, answer);
	if (error)
		return throw_errno(env, error, call);
	if (answer.index.empty())
		return throw_errno(env, ENOENT, call);
	const struct nlmsghdr *nlh =
		reinterpret_cast<const struct nlmsghdr *>(answer.octets.data());
	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct genlmsghdr))
		return throw_errno(env, EPROTO, call);
	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), note, &found);
	const struct nlattr *id = found.find(CTRL_ATTR_FAMILY_ID, MNL_TYPE_U16);
	const struct nlattr *version = found.find(CTRL_ATTR_VERSION, MNL_TYPE_U32);
	const struct nlattr *multicast = found.find(CTRL_ATTR_MCAST_GROUPS, MNL_TYPE_NESTED);
	if (!id || !version)
		return throw_errno(env, EPROTO, call);
	Napi::Object result = Napi::Object::New(env);
	Napi::Object groups = Napi::Object::New(env);
	if (multicast)
		mnl_attr_parse_nested(multicast, note_group, &groups);
	result.Set("id", Napi::Number::New(env, mnl_attr_get_u16(id)));
	result.Set("version", Napi::Number::New(env, mnl_attr_get_u32(version)));
	result.Set("groups", groups);
	return result;
}

/*
 * request(type, command, version, dump, attributes): { octets, index, complete },
 * the messages that answer, with their netlink headers, and for each its offset
 * and its length. The attributes are those of the request, ready to send.
 */
Napi::Value Control::request(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Uint8Array attributes = info[4].As<Napi::Uint8Array>();
	uint16_t flags = info[3].ToBoolean() ? NLM_F_DUMP : NLM_F_ACK;
	Answer answer;

	std::vector<uint8_t> message =
		build(info[0].ToNumber().Uint32Value(), flags, info[1].ToNumber().Uint32Value(),
		      info[2].ToNumber().Uint32Value(), attributes.Data(), attributes.ByteLength());
	int error = ask(message, answer);
	if (error)
		return throw_errno(env, error, call);
	Napi::Uint8Array octets = Napi::Uint8Array::New(env, answer.octets.size());
	Napi::Uint32Array index = Napi::Uint32Array::New(env, answer.index.size());
	if (!answer.index.empty()) {
		memcpy(octets.Data(), answer.octets.data(), answer.octets.size());
		memcpy(index.Data(), answer.index.data(), answer.index.size() * sizeof(uint32_t));
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("octets", octets);
	result.Set("index", index);
	result.Set("complete", Napi::Boolean::New(env, answer.complete));
	return result;
}

void Control::close(const Napi::CallbackInfo &)
{
	socket.close();
}
