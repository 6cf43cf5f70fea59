// What hangs on an interface's ingress and egress hooks of tc, read through rtnetlink.
#ifndef BPF_LOADER_TC_DUMP_H
#define BPF_LOADER_TC_DUMP_H

#include <cstdint>
#include <string>
#include <vector>

struct TcFilter {
	uint32_t handle = 0;
	uint16_t priority = 0;
	uint32_t chain = 0;
	std::string kind;
	std::string name; /* of a BPF filter, as it was given at attach */
	uint32_t program_id = 0; /* 0: no BPF filter */
};

struct TcQdisc {
	std::string kind; /* "clsact", "ingress", or empty: none */
	bool shared_block = false; /* its filters belong to a block that other devices may share */
};

/* The clsact or ingress qdisc of an interface of this netns; 0 or an errno. */
int dump_ingress_qdisc(int ifindex, TcQdisc *qdisc);

/* The filters under `parent` (TC_H_MAKE(TC_H_CLSACT, …)), none without a qdisc; 0 or an errno. */
int dump_filters(int ifindex, uint32_t parent, std::vector<TcFilter> *filters);

#endif
