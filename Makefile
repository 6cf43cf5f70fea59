# The verbs of this checkout, for people and for CI alike: `make help` lists them.

PREFIX ?= /usr/local
DESTDIR ?=
CLANG ?= clang
CLANG_FORMAT ?= clang-format

# Debian keeps ip, ethtool, bpftool and nfacctd where only root's PATH looks. Ubuntu's bpftool is a
# wrapper that wants the tools of the running kernel: the real one of any kernel goes before it.
LINUX_TOOLS := $(lastword $(wildcard /usr/lib/linux-tools/*/bpftool))
export PATH := $(if $(LINUX_TOOLS),$(dir $(LINUX_TOOLS)):)$(PATH):/usr/sbin:/sbin

# Colours are for a terminal; not every tool finds out by itself.
ifeq ($(MAKE_TERMOUT),)
export NO_COLOR := 1
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := node_modules/.bin
# npm rewrites this file whenever it changes node_modules, so it dates them.
NODE_MODULES := node_modules/.package-lock.json
# Network namespaces, eBPF and qdiscs are root's. Without a terminal sudo must not wait for a password.
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo $(shell [ -t 0 ] || echo -n) env "PATH=$$PATH" $(if $(NO_COLOR),NO_COLOR=1))

.PHONY: help deps build test soak test-kernel demo demo-trace bench fmt check clean install root

help: ## this list
	@echo "make VERB"
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

deps: ## installs what is missing: Debian or Ubuntu packages (as root), then npm packages
	@.ci/deps
	@$(MAKE) -s $(NODE_MODULES)

# --- build -------------------------------------------------------------------

BPF := $(patsubst bpf/%.c,dist/bpf/%.o,$(wildcard bpf/*.bpf.c)) \
	$(patsubst test/bpf/programs/%.c,build/test/%.o,$(wildcard test/bpf/programs/*.bpf.c)) \
	$(patsubst bench/programs/%.c,build/bench/%.o,$(wildcard bench/programs/*.bpf.c))
NATIVE := native/build/.built
TYPESCRIPT := dist/.built
RECEIVER := build/bench/receiver

build: $(BPF) $(NATIVE) $(TYPESCRIPT) $(RECEIVER) ## eBPF objects, native addons, TypeScript; what has not changed stays

# A folder's time changes when a file in it comes or goes: hence the folders too.
$(TYPESCRIPT): $(shell find src \( -type d -o -name '*.ts' \) 2>/dev/null) tsconfig.json $(NODE_MODULES)
	@echo "  TSC      dist"
	@mkdir -p dist build && touch build/tsc.start
	@$(BIN)/tsc
	@: what tsc did not just write has no source any more
	@find dist -path dist/bpf -prune -o -type f ! -newer build/tsc.start -exec rm -f {} +
	@touch $@

# MAKEFLAGS: node-gyp starts a make of its own, which must not look for our job server.
# Headers: those of the node that runs; without them node-gyp would download some.
$(NATIVE): $(shell find native -name build -prune -o -type f -print 2>/dev/null) $(NODE_MODULES)
	@echo "  NATIVE   native/build/Release"
	@prefix=$$(dirname "$$(dirname "$$(node -p process.execPath)")"); \
	[ ! -f "$$prefix/include/node/node_api.h" ] || set -- --nodedir="$$prefix"; \
	env -u MAKEFLAGS -u MFLAGS $(BIN)/node-gyp configure build -C native --loglevel=warn --jobs=max "$$@"
	@touch $@

# asm/types.h is in the multiarch folder, which clang does not search for another target. A program
# has its context as parameter whether it looks at it or not.
BPF_FLAGS = -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter -Werror -Ibpf \
	$(addprefix -I/usr/include/,$(shell gcc -print-multiarch 2>/dev/null))
define COMPILE_BPF
@echo "  BPF      $@"
@mkdir -p $(@D)
@$(CLANG) $(BPF_FLAGS) -c $< -o $@
endef

HEADERS := $(wildcard bpf/*.h test/bpf/programs/*.h bench/programs/*.h)

dist/bpf/%.o: bpf/%.c $(HEADERS) Makefile
	$(COMPILE_BPF)
build/test/%.o: test/bpf/programs/%.c $(HEADERS) Makefile
	$(COMPILE_BPF)
build/bench/%.o: bench/programs/%.c $(HEADERS) Makefile
	$(COMPILE_BPF)

# What counts on the other side of an exporter (bench).
$(RECEIVER): bench/programs/receiver.c Makefile
	@echo "  CC       $@"
	@mkdir -p $(@D)
	@$(CLANG) -O2 -Wall -Wextra -Werror -o $@ $<

# Not `npm ci`: it refuses a lock file without the optional packages of other systems, and this is
# Linux alone. Versions and hashes are the lock file's all the same. No install script is needed.
$(NODE_MODULES): package-lock.json
	@echo "  NPM      node_modules"
	@npm install --no-save --ignore-scripts
	@touch $@

# --- try ---------------------------------------------------------------------

# One make after another, since each needs to see what the one before installed or built.
# A failed check does not keep the tests from running, but it fails the whole.
test: root ## deps, build, check, then all tests: ONLY=name runs files of that name alone
	@$(MAKE) deps
	@$(MAKE) build
	@$(MAKE) check || :
	@$(AS_ROOT) $(BIN)/vitest run $(ONLY)
	@[ -e build/checked ] || { echo "make test: the tests passed, make check did not: see above" >&2; exit 1; }

soak: root ## tests of minutes (test/soak)
	@$(MAKE) deps
	@$(MAKE) build
	@$(AS_ROOT) $(BIN)/vitest run --mode soak $(ONLY)

# Nothing of it needs root: the guest is root by itself.
test-kernel: ## on an older kernel, Debian's 6.1 in QEMU, for minutes: KERNEL=FILE.deb takes that one
	@.ci/deps kernel
	@$(MAKE) -s $(NODE_MODULES)
	@$(MAKE) build
	@KERNEL="$(KERNEL)" $(BIN)/vitest run --mode kernel $(ONLY)

demo: root ## the whole path on this machine: traffic, meter, IPFIX, somebody else's decoder
	@$(MAKE) deps
	@$(MAKE) build
	@$(AS_ROOT) $(BIN)/tsx test/demo/demo.ts

demo-trace: root ## the same of traces: the kernel's IOAM events, from `ip ioam` to IPFIX
	@$(MAKE) deps
	@$(MAKE) build
	@$(AS_ROOT) $(BIN)/tsx test/demo/demo-trace.ts

# Not tsx itself: it detaches an array buffer, after which V8 checks at every access whether others are
# (encoding takes a quarter longer).
bench: root ## measures, writes bench/results: ONLY=meter, export, forward or events
	@$(MAKE) deps
	@$(MAKE) build
	@$(AS_ROOT) node --import tsx/esm bench/run.ts $(ONLY)

root:
	@[ "$$(id -u)" -eq 0 ] || command -v sudo >/dev/null || { \
	  echo "make $(MAKECMDGOALS): needs root (network namespaces, eBPF) and there is no sudo: run it as root" >&2; exit 1; }

# --- tidy --------------------------------------------------------------------

C_FILES = $(shell find bpf native test bench -name build -prune -o -type f \
	\( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print 2>/dev/null)

fmt: $(NODE_MODULES) ## formats TypeScript, JSON and C
	@$(BIN)/biome check --write .
	@$(if $(C_FILES),$(CLANG_FORMAT) -i $(C_FILES))

# Every check runs, so that one look shows all there is to mend.
check: $(NODE_MODULES) ## format, lint, types, dead code
	@mkdir -p build && rm -f build/checked; failed=; \
	step() { name=$$1; shift; echo "  CHECK    $$name"; "$$@" || failed="$$failed $$name"; }; \
	step biome $(BIN)/biome ci $(if $(NO_COLOR),--colors=off) --error-on-warnings .; \
	$(if $(C_FILES),step clang-format $(CLANG_FORMAT) --dry-run -Werror $(C_FILES);) \
	step tsc-src $(BIN)/tsc --noEmit; \
	step tsc-test $(BIN)/tsc --noEmit -p test; \
	step knip $(BIN)/knip --no-progress; \
	[ -z "$$failed" ] || { echo "make check: failed:$$failed" >&2; exit 1; }; \
	touch build/checked

clean: ## removes what was built; node_modules stays
	@rm -rf build dist native/build coverage

# --- install -----------------------------------------------------------------

INTO := $(DESTDIR)$(PREFIX)/lib/ioamctl

install: build ## into PREFIX (/usr/local) under DESTDIR, with a systemd unit
	@modules=$$(npm ls --omit=dev --all --parseable) || exit 1; \
	rm -rf "$(INTO)" && mkdir -p "$(INTO)" "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/lib/systemd/system" && \
	cp -R --parents bin dist native/build/Release/*.node package.json LICENSE bpf/LICENSE "$(INTO)" && \
	rm -f "$(INTO)/dist/.built" && \
	echo "$$modules" | sed -n 's,^.*/\(node_modules/\),\1,p' | while read -r module; do \
	  cp -R --parents "$$module" "$(INTO)" || exit 1; done && \
	ln -sfn ../lib/ioamctl/bin/ioamctl "$(DESTDIR)$(PREFIX)/bin/ioamctl" && \
	sed 's,/usr/local,$(PREFIX),g' docs/ioamctl-agent.service > \
	  "$(DESTDIR)$(PREFIX)/lib/systemd/system/ioamctl-agent.service"
	@echo "  INSTALL  $(DESTDIR)$(PREFIX)/bin/ioamctl"
