# datasession. `make help` lists the targets. What a caller may set:
CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS ?= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
ifndef LUA
LUA := $(or $(notdir $(shell command -v lua5.4 || command -v lua54)),lua)
endif
LUA_VERSION ?= 5.4
PREFIX ?= /usr/local
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VERSION)
INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
DEPS ?= tools/deps.sh
# also: CPPFLAGS, LDFLAGS, DESTDIR, LUA_INCDIR (lua.h), LUA_LIBDIR (liblua), BUSTED_FLAGS, TEST_TIMEOUT (seconds a runner)

# The build's variants. Each has a directory of its own.
#   POLLER=curl       waits by curl_multi_poll, as systems without epoll do; POLLER=epoll: `make test` leaves that one out
#   SANITIZE=KINDS    address,undefined or thread
#   COVERAGE=1        counts which lines are run: tools/coverage.mk
comma := ,
variant = build$(COVERAGE:1=/coverage)$(addprefix /,$(filter-out epoll,$(1)))$(addprefix /,$(subst $(comma),-,$(SANITIZE)))
BUILD := $(call variant,$(POLLER))

# The system: Lua's headers, libcurl, libmicrohttpd (for the sandbox alone), how to link a module.
pc = $(shell pkg-config $(1) 2>/dev/null)
LUA_PC := $(firstword $(foreach name,lua5.4 lua-5.4 lua54 lua,$(if $(call pc,--modversion $(name)),$(name))))
LUA_CPPFLAGS := $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(call pc,--cflags $(LUA_PC)))
LIBLUA := $(if $(LUA_LIBDIR),-L$(LUA_LIBDIR) -llua,$(call pc,--libs $(LUA_PC)))
CURL_CPPFLAGS := $(or $(call pc,--cflags libcurl),$(shell curl-config --cflags 2>/dev/null))
CURL_LIBS := $(or $(call pc,--libs libcurl),$(shell curl-config --libs 2>/dev/null),-lcurl)
MHD_CPPFLAGS := $(call pc,--cflags libmicrohttpd)
MHD_LIBS := $(or $(call pc,--libs libmicrohttpd),$(if $(wildcard /usr/include/microhttpd.h),-lmicrohttpd))
NO_MHD := sandbox not built: it needs libmicrohttpd (apt-get install libmicrohttpd-dev, dnf install libmicrohttpd-devel, \
  apk add libmicrohttpd-dev, brew install libmicrohttpd)
ifeq ($(shell uname -s),Darwin)
MODULE := -bundle -undefined dynamic_lookup
else # nodelete: a thread in which libcurl resolves a name may outlive lua_close
MODULE := -shared -Wl,-z,nodelete
endif

FLOORS := net runtime session catalog store protocol $(patsubst csrc/%/,%,$(sort $(wildcard csrc/protocol/*/)))
CORE_SRC := csrc/module.c $(foreach floor,$(FLOORS),$(sort $(wildcard csrc/$(floor)/*.c)))
SANDBOX_SRC := $(sort $(wildcard csrc/sandbox/*.c))
PRELOAD_SRC := $(wildcard spec/net/resolver_hang.c spec/host/slow_disk.c)
HANG_SRC := $(wildcard spec/net/hang_host.c spec/net/resolver_hang.c)
NET_SPEC_SRC := $(filter-out $(HANG_SRC),$(sort $(wildcard spec/net/*.c))) # one program
FAULT_SRC := $(sort $(wildcard spec/support/faults/*.c)) # a server that misbehaves, as a module for the specs
BUSTED_SPECS := $(sort $(shell find spec -name '*_spec.lua'))
HOST_SPEC_SRC := $(sort $(wildcard spec/host/*_spec.c)) # each a program that embeds Lua
LUA_SRC := $(sort $(shell find lua -name '*.lua'))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE := $(BUILD)/lib/datasession/core.so
SANDBOX := $(BUILD)/lib/datasession/sandbox/core.so
FAULTS := $(if $(FAULT_SRC),$(BUILD)/lib/fault_server.so)
net_spec = $(if $(NET_SPEC_SRC),$(1)/spec/net_spec)
hang_specs = $(if $(HANG_SRC),$(1)/spec/hang_host) $(HOST_SPEC_SRC:%.c=$(1)/%)

OUR_CPPFLAGS = -D_GNU_SOURCE -Icsrc $(if $(filter curl,$(POLLER)),-DDATASESSION_NO_EPOLL) \
  $(LUA_CPPFLAGS) $(CURL_CPPFLAGS) $(MHD_CPPFLAGS) $(CPPFLAGS)
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMPILE = $(CC) -std=c11 -pthread -fPIC -fvisibility=hidden $(WARNINGS) $(OUR_CPPFLAGS) $(CFLAGS) $(SANITIZER)
LINK = $(CC) -pthread $(SANITIZER) $(CFLAGS) $(LDFLAGS)
Q = $(if $(V),,@) # V=1 shows whole commands

.PHONY: all core sandbox no-sandbox specs deps demo test test-collector test-locales asan tsan valgrind lint rock bench \
  bench-instructions bench-scale bench-guard bench-frames conformance torture-network torture-hostile now-demo now-test now-test-collector now-test-locales now-asan now-tsan now-valgrind now-lint now-rock now-bench \
  now-bench-instructions now-bench-scale now-bench-guard now-bench-frames now-conformance now-torture-network now-torture-hostile check \
  format rockspec \
  install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-print-directory

## all: the client's module and the sandbox's, in build/lib (the default)
all: core $(if $(MHD_LIBS),sandbox,no-sandbox)
	@:

core: $(CORE)
	@:

ifneq ($(MHD_LIBS),)
sandbox: $(SANDBOX)
	@:
else
sandbox: no-sandbox
	@false
endif

no-sandbox:
	@echo '$(NO_MHD)' >&2

specs: $(FAULTS) $(call net_spec,$(BUILD)) $(call hang_specs,$(BUILD)) $(PRELOAD_SRC:%.c=$(BUILD)/preload/%.so)
	@:

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

$(CORE): $(call objects,$(CORE_SRC))
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) $(MODULE) -o $@ $^ $(CURL_LIBS)

$(SANDBOX): $(call objects,$(SANDBOX_SRC))
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) $(MODULE) -o $@ $^ $(MHD_LIBS)

# The C specs: those of net, and those that a resolver which hangs is preloaded for.
NET_OBJ := $(call objects,$(filter csrc/net/%,$(CORE_SRC)))

$(BUILD)/spec/net_spec: $(call objects,$(NET_SPEC_SRC)) $(NET_OBJ)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -o $@ $^ $(CURL_LIBS)

$(BUILD)/spec/hang_host: $(call objects,spec/net/hang_host.c spec/net/check.c) $(NET_OBJ)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -o $@ $^ $(CURL_LIBS)

$(BUILD)/spec/host/%_spec: $(BUILD)/obj/spec/host/%_spec.o
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -rdynamic -o $@ $^ $(LIBLUA)

$(BUILD)/lib/fault_server.so: $(call objects,$(FAULT_SRC))
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) $(MODULE) -o $@ $^

# To be preloaded: what the specs rule in the C library's place.
$(BUILD)/preload/%.so: SANITIZER :=
$(BUILD)/preload/%.so: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -fvisibility=default -shared $(LDFLAGS) -o $@ $<

-include $(patsubst %.o,%.d,$(call objects,$(CORE_SRC) $(SANDBOX_SRC) $(NET_SPEC_SRC) $(FAULT_SRC) $(HOST_SPEC_SRC) spec/net/hang_host.c))

# These install what they need first; the rest is a second make, which then finds it.
demo test test-collector test-locales asan tsan valgrind lint rock bench bench-instructions bench-scale bench-guard bench-frames \
conformance torture-network torture-hostile:
	@LUA=$(LUA) $(DEPS) $(NEEDS_$@)
	@$(MAKE) $(WITH_$@) now-$@

NEEDS_demo := run
NEEDS_test := run test
NEEDS_test-collector := run test
NEEDS_test-locales := run test locales
NEEDS_asan := run test
NEEDS_tsan := run test
NEEDS_valgrind := run test valgrind
NEEDS_lint := run test lint
NEEDS_rock := run test
NEEDS_bench := run bench
NEEDS_bench-instructions := run bench
NEEDS_bench-scale := run
NEEDS_bench-guard := run bench
NEEDS_bench-frames := run bench
NEEDS_conformance := run conformance
NEEDS_torture-network := run test
NEEDS_torture-hostile := run test
WITH_asan := CC=gcc SANITIZE=address,undefined POLLERS='$(or $(POLLER),epoll)' UNDER='tools/sanitized.sh address'
WITH_tsan := CC=gcc SANITIZE=thread POLLERS='$(or $(POLLER),epoll)' UNDER='tools/sanitized.sh thread' \
  APART=$(if $(BUSTED_FLAGS),,yes)
WITH_valgrind := POLLERS='$(or $(POLLER),epoll)' UNDER=tools/valgrind.sh TEST_TIMEOUT=$(or $(TEST_TIMEOUT),3600)

## deps: install by apt what all, demo and test need; elsewhere say what to install
deps:
	@LUA=$(LUA) $(DEPS) run test

## demo: build, run examples/quickstart.lua
now-demo: all
	@tools/in-tree.sh $(BUILD) $(LUA) examples/quickstart.lua

# For each poller the C specs, then busted. UNDER: a command to run them under. APART: each of busted's files in a process of its
# own, since the thread sanitizer keeps memory for every thread that there has been.
POLLERS ?= $(or $(POLLER),epoll curl)
BUSTED = $(if $(UNDER),$(UNDER) $(LUA) tools/busted.lua,busted --lua=$(LUA)) --output=plainTerminal $(BUSTED_FLAGS)
in_tree = 'tools/in-tree.sh $(1) $(strip $(2))'
hanging = env LD_PRELOAD=$(1)/preload/spec/net/resolver_hang.so DATASESSION_HANG_FIFO=$(1)/spec/hang.fifo
runners_of = $(foreach spec,$(net_spec),$(call in_tree,$(1),$(UNDER) $(spec))) \
  $(foreach spec,$(hang_specs),$(call in_tree,$(1),$(hanging) $(UNDER) $(spec))) \
  $(if $(APART),$(foreach spec,$(BUSTED_SPECS),$(call in_tree,$(1),$(BUSTED) $(spec))),$(call in_tree,$(1),$(BUSTED)))
runners = $(foreach poller,$(POLLERS),$(call runners_of,$(call variant,$(poller))))

## test: the C specs, then busted over spec/, for both pollers (POLLER=epoll or curl: for that one)
## asan: the same with the address and undefined-behaviour sanitizers and leak check
## tsan: the same with the thread sanitizer
## valgrind: the same under valgrind
now-test now-asan now-tsan now-valgrind:
	@set -e; for poller in $(POLLERS); do $(MAKE) POLLER=$$poller all specs; done
	@LUA=$(LUA) tools/run-tests.sh $(runners)

COLLECTORS ?= generational eager
collector_runners = $(foreach kind,$(COLLECTORS),$(call in_tree,$(BUILD), \
  env DATASESSION_COLLECTOR=$(kind) $(LUA) tools/busted.lua --output=plainTerminal $(BUSTED_FLAGS)))

## test-collector: busted in generational mode, then with a collector that is eager (tools/busted.lua); COLLECTORS: one of them
now-test-collector: all specs
	@LUA=$(LUA) tools/run-tests.sh $(collector_runners)

LOCALE_RUNS ?= de_DE.UTF-8:before de_DE.UTF-8:after tr_TR.UTF-8:before tr_TR.UTF-8:after
locale_runners = $(foreach run,$(LOCALE_RUNS),$(call in_tree,$(BUILD), \
  env LOCPATH=$(BUILD)/locales DATASESSION_LOCALE=$(run) $(LUA) tools/busted.lua --output=plainTerminal $(BUSTED_FLAGS)))

## test-locales: busted in locales with other decimal points and letters, set before and after the first use; LOCALE_RUNS: some
now-test-locales: all specs
	@tools/locales.sh $(BUILD)/locales $(LOCALE_RUNS)
	@LUA=$(LUA) tools/run-tests.sh $(locale_runners)

## lint: every static check
now-lint: all specs
	@LUA=$(LUA) tools/lint.sh $(BUILD) $(OUR_CPPFLAGS)

## format: clang-format over the C files
format:
	find csrc spec bench \( -name '*.c' -o -name '*.h' \) -exec clang-format -i {} +

## rock: build the rocks into a scratch tree, load them from there
now-rock:
	@LUA=$(LUA) tools/try-rocks.sh

REFERENCE := build/conformance
$(REFERENCE)/node_modules/.package-lock.json: spec/suites/conformance/package.json spec/suites/conformance/package-lock.json
	@mkdir -p $(REFERENCE)
	@cp spec/suites/conformance/package.json spec/suites/conformance/package-lock.json $(REFERENCE)
	@npm ci --prefix $(REFERENCE) --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# Progress's own client is a peer where npm can install it.
BENCH = LUA=$(LUA) CC='$(CC)' BENCH_REFERENCE=$(REFERENCE)/node_modules/@progress/jsdo-core/lib/progress.core.js \
  tools/in-tree.sh $(BUILD)

## bench: beside bare libcurl, lua-cjson and the peers at hand: CPU time and memory, as a table
now-bench: all specs
	@! command -v npm >/dev/null || $(MAKE) $(REFERENCE)/node_modules/.package-lock.json || true
	@$(BENCH) bench/run.sh
	@echo
	@$(MAKE) now-bench-scale

## bench-scale: whether what is done n times costs n times as much: CPU time and its exponent, as a table
now-bench-scale: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) bench/scale.lua

## bench-instructions: the same by instructions and system calls
now-bench-instructions: all
	@$(BENCH) bench/instructions.sh

## bench-guard: fails when the instructions of a ping, a life cycle or a start have grown by more than 5 %
now-bench-guard: all
	@$(BENCH) bench/guard.sh

## bench-frames: CPU time of a step for a host that steps 60 times a second, sessions connecting, pinging and loading catalogs
now-bench-frames: all
	@$(BENCH) bench/frames.sh

## conformance: Progress's own client and ours do the same things; what differs must be in docs/differences.md
now-conformance: all $(REFERENCE)/node_modules/.package-lock.json
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/conformance/runner.lua $(REFERENCE) $(CASES)

## torture-network: every kind of request meets every fault of the network, at every byte
now-torture-network: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/network/all.lua $(KINDS)

include spec/suites/torture/torture.mk spec/suites/soak/soak.mk spec/suites/fuzz/fuzz.mk \
  spec/suites/field/field.mk tools/coverage.mk tools/apicheck.mk

## torture-hostile: more and larger of what a server can do that means harm than spec/suites/hostile/hostile_spec.lua tries
now-torture-hostile: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/hostile/more.lua $(SEED)

## check: lint, then test
check:
	@$(MAKE) lint
	@$(MAKE) test

## rockspec: write the rockspec's list of files anew
rockspec:
	@$(LUA) tools/rockspec.lua --write

## install: into PREFIX (/usr/local), below DESTDIR
install: all
	@set -e; put() { echo "  install $$3"; mkdir -p "$$(dirname "$$3")"; install -m "$$1" "$$2" "$$3"; }; \
	for file in $(LUA_SRC); do put 644 "$$file" "$(DESTDIR)$(INST_LUADIR)/$${file#lua/}"; done; \
	for file in $(CORE) $(if $(MHD_LIBS),$(SANDBOX)); do \
	  put 755 "$$file" "$(DESTDIR)$(INST_LIBDIR)/$${file#$(BUILD)/lib/}"; done

## uninstall: what install put there
uninstall:
	rm -rf "$(DESTDIR)$(INST_LUADIR)/datasession" "$(DESTDIR)$(INST_LUADIR)/datasession.lua" \
	  "$(DESTDIR)$(INST_LIBDIR)/datasession"

## clean: remove build/
clean:
	rm -rf build

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /  \1\t/p' $(MAKEFILE_LIST) | expand -t 18
