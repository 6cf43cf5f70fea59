// libbpf's messages, kept instead of printed: a daemon's standard error is its own.
#include "print.h"

#include <bpf/libbpf.h>

#include <cstdarg>
#include <cstdio>

static thread_local PrintCapture *current;

static int keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	va_list again;
	int length;

	if (level == LIBBPF_DEBUG || !current)
		return 0;
	va_copy(again, arguments);
	length = vsnprintf(nullptr, 0, format, again);
	va_end(again);
	if (length <= 0)
		return 0;

	std::string &text = current->text;
	size_t before = text.size();
	text.resize(before + length + 1);
	vsnprintf(text.data() + before, length + 1, format, arguments);
	text.resize(before + length);
	return length;
}

void capture_libbpf_print(void)
{
	libbpf_set_print(keep);
}

PrintCapture::PrintCapture() : outer(current)
{
	current = this;
}

PrintCapture::~PrintCapture()
{
	current = outer;
}
