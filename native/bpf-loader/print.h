// libbpf's messages, kept instead of printed: a daemon's standard error is its own.
#ifndef BPF_LOADER_PRINT_H
#define BPF_LOADER_PRINT_H

#include <string>

/* Takes over libbpf's printing for the whole process. */
void capture_libbpf_print(void);

/* Collects what libbpf says on this thread during its lifetime. */
class PrintCapture {
public:
	PrintCapture();
	~PrintCapture();
	PrintCapture(const PrintCapture &) = delete;
	PrintCapture &operator=(const PrintCapture &) = delete;

	std::string text;

private:
	PrintCapture *outer;
};

#endif
