# datasession. `make help` lists the targets. A caller may set:
CC ?= cc
CFLAGS ?= -O2 -g
WARNINGS ?= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
ifndef LUA
LUA := $(or $(notdir $(shell command -v lua5.4 || command -v lua54)),lua)
endif
# LUA=luajit, lua5.3 or lua5.5 builds for that one, into a directory of its own.
FLAVOUR := $(filter luajit lua5.3 lua5.5,$(subst lua55,lua5.5,$(subst lua53,lua5.3,$(notdir $(LUA)))))
LUA_VERSION ?= $(or $(if $(filter luajit,$(FLAVOUR)),5.1),$(FLAVOUR:lua%=%),5.4)
PREFIX ?= /usr/local
INST_LUADIR ?= $(PREFIX)/share/lua/$(LUA_VERSION)
INST_LIBDIR ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
INST_BINDIR ?= $(PREFIX)/bin
INST_MANDIR ?= $(PREFIX)/share/man/man1
INST_COMPLETIONS ?= $(PREFIX)/share
DEPS ?= tools/deps.sh
# also: CPPFLAGS, LDFLAGS, DESTDIR, LUA_INCDIR (lua.h), LUA_LIBDIR (liblua), BUSTED_FLAGS, TEST_TIMEOUT
# (seconds for each command of a test run)

# The packages that each target needs: sets of tools/deps.sh.
NEEDS_deps := run test
NEEDS_demo := run
NEEDS_test := run test
NEEDS_test-collector := run test
NEEDS_m32 := run
NEEDS_arm64 := run test arm64
NEEDS_test-amalgamation := run test compilers
NEEDS_test-locales := run test locales
NEEDS_asan := run test
NEEDS_tsan := run test
NEEDS_valgrind := run test valgrind
NEEDS_lint := run test lint
NEEDS_check := run test lint
NEEDS_rock := run test
NEEDS_dist := run test dist
NEEDS_test-dist := run test dist debians
NEEDS_docs := run docs
NEEDS_test-site := run docs browser
NEEDS_screenshots := run docs browser pictures
NEEDS_diagrams := diagrams
NEEDS_coverage := run test coverage
NEEDS_apicheck := run test apicheck
NEEDS_mutants := run test
NEEDS_mutants-guard := run test
NEEDS_conformance := run conformance
NEEDS_conformance-har := run conformance
NEEDS_conformance-openapi := run conformance
NEEDS_torture := run
NEEDS_torture-network := run test
NEEDS_torture-hostile := run test
NEEDS_soak := run
NEEDS_fuzz := run fuzz
NEEDS_field := run test
NEEDS_debians := debians
NEEDS_test-unstable := debians
NEEDS_windows := run windows
NEEDS_test-windows := run windows test
NEEDS_love := run luajit love
NEEDS_bench := run bench
NEEDS_bench-instructions := run bench
NEEDS_bench-data := run bench
NEEDS_bench-download := run bench
NEEDS_bench-upload := run bench
NEEDS_bench-scale := run
NEEDS_bench-guard := run bench
NEEDS_bench-luas := run bench lua5.3 luajit
NEEDS_bench-frames := run bench

# A makefile without rules stands for the packages of the goals at hand. Its rule installs them; make then
# reads all makefiles again, and asks pkg-config again. It is out of date once dpkg has changed what is
# installed.
ONE_SPEC := $(filter spec/%,$(MAKECMDGOALS))
needs := $(sort $(foreach goal,$(MAKECMDGOALS),$(NEEDS_$(goal))) $(if $(ONE_SPEC),run test) $(FLAVOUR))
ifneq ($(needs),)
PACKAGES := build/deps/$(subst $() ,-,$(needs)).mk
include $(PACKAGES)

$(PACKAGES): tools/deps.sh $(wildcard /var/lib/dpkg/status)
	@LUA=$(LUA) $(DEPS) $(needs)
	@mkdir -p $(@D)
	@touch $@
endif

# The build's variants. Each has a directory of its own.
#   POLLER=curl       waits by curl_multi_poll, as systems without epoll do; with POLLER=epoll `make test`
#                     tests epoll alone
#   SANITIZE=KINDS    address,undefined or thread
#   COVERAGE=1        counts which lines run: tools/coverage.mk
comma := ,
sanitized := $(addprefix /,$(subst $(comma),-,$(SANITIZE)))
variant = build$(addprefix /,$(FLAVOUR))$(COVERAGE:1=/coverage)$(addprefix /,$(filter-out \
  epoll,$(1)))$(sanitized)
BUILD := $(call variant,$(POLLER))

# The system: Lua's headers, libcurl, libmicrohttpd and GnuTLS (for the sandbox alone), how to link a module.
pc = $(shell pkg-config $(1) 2>/dev/null)
LUA_PCS := $(or $(if $(filter luajit,$(FLAVOUR)),luajit),$(if $(FLAVOUR),$(FLAVOUR) lua-$(LUA_VERSION) \
  $(subst .,,$(FLAVOUR))),lua5.4 lua-5.4 lua54 lua)
LUA_PC := $(firstword $(foreach name,$(LUA_PCS),$(if $(call pc,--modversion $(name)),$(name))))
LUA_CPPFLAGS := $(if $(LUA_INCDIR),-I$(LUA_INCDIR),$(call pc,--cflags $(LUA_PC)))
ifeq ($(FLAVOUR),luajit) # the C part of lua-compat-5.3
LUA_CPPFLAGS += -isystem $(or $(COMPAT53_INCDIR),/usr/include/lua5.1)
endif
LIBLUA := $(if $(LUA_LIBDIR),-L$(LUA_LIBDIR) -llua,$(call pc,--libs $(LUA_PC)))
CURL_CPPFLAGS := $(or $(call pc,--cflags libcurl),$(shell curl-config --cflags 2>/dev/null))
CURL_LIBS := $(or $(call pc,--libs libcurl),$(shell curl-config --libs 2>/dev/null),-lcurl)
MHD_CPPFLAGS := $(call pc,--cflags libmicrohttpd gnutls)
MHD_LIBS := $(or $(call pc,--libs libmicrohttpd gnutls),$(if $(and $(wildcard \
  /usr/include/microhttpd.h),$(wildcard /usr/include/gnutls/x509.h)),-lmicrohttpd -lgnutls))
NO_MHD := sandbox not built: it needs libmicrohttpd and GnuTLS (apt-get install libmicrohttpd-dev, \
  dnf install libmicrohttpd-devel gnutls-devel, apk add libmicrohttpd-dev gnutls-dev, \
  brew install libmicrohttpd gnutls)
DLL := so
ifeq ($(shell uname -s),Darwin)
MODULE := -bundle -undefined dynamic_lookup
else ifneq ($(findstring mingw,$(shell $(CC) -dumpmachine)),) # its linker wants Lua's names, too
MODULE := -shared -static-libgcc
DLL := dll
SYSTEM_CPPFLAGS := -D_FILE_OFFSET_BITS=64
SYSTEM_LIBS = $(LIBLUA) -lws2_32 -lbcrypt -ladvapi32
override WARNINGS += -Wno-float-conversion
else # nodelete: a thread in which libcurl resolves a name may outlive lua_close
MODULE := -shared -Wl,-z,nodelete
endif

FLOORS := net runtime session catalog store protocol \
  $(patsubst csrc/%/,%,$(sort $(wildcard csrc/protocol/*/)))
CORE_SRC := csrc/module.c $(foreach floor,$(FLOORS),$(sort $(wildcard csrc/$(floor)/*.c)))
COMPAT_SRC := $(if $(filter luajit,$(FLAVOUR)),csrc/runtime/compat.c)
SANDBOX_SRC := $(sort $(wildcard csrc/sandbox/*.c)) $(COMPAT_SRC)
PRELOAD_SRC := $(wildcard spec/net/resolver_hang.c spec/host/slow_disk.c)
ifndef FLAVOUR # the C specs are for the usual Lua, or know none
HANG_SRC := $(wildcard spec/net/hang_host.c spec/net/resolver_hang.c)
NET_SPEC_SRC := $(filter-out $(HANG_SRC),$(sort $(wildcard spec/net/*.c))) # one program
# lua-cjson as an archive, if there is one: static_spec has it inside.
CJSON := $(filter /%,$(shell $(CC) -print-file-name=liblua$(LUA_VERSION)-cjson.a))
HOST_SPEC_SRC := $(filter-out $(if $(CJSON),,%/static_spec.c),$(sort \
  $(wildcard spec/host/*_spec.c))) # each a program that embeds Lua
endif
# A server that misbehaves, as a module for the specs.
FAULT_SRC := $(sort $(wildcard spec/support/faults/*.c)) $(COMPAT_SRC)
BUSTED_SPECS := $(sort $(shell find spec -name '*_spec.lua'))
LUA_SRC := $(sort $(shell find lua -name '*.lua'))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
CORE := $(BUILD)/lib/datasession/core.$(DLL)
SANDBOX := $(BUILD)/lib/datasession/sandbox/core.so
FAULTS := $(if $(FAULT_SRC),$(BUILD)/lib/fault_server.so)
net_spec = $(if $(NET_SPEC_SRC),$(1)/spec/net_spec)
hang_specs = $(if $(HANG_SRC),$(1)/spec/hang_host) $(HOST_SPEC_SRC:%.c=$(1)/%)

OUR_CPPFLAGS = -D_GNU_SOURCE -Icsrc $(if $(filter curl,$(POLLER)),-DDATASESSION_NO_EPOLL) \
  $(SYSTEM_CPPFLAGS) $(LUA_CPPFLAGS) $(CURL_CPPFLAGS) $(MHD_CPPFLAGS) $(CPPFLAGS)
SANITIZER = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
COMPILE = $(CC) -std=c11 -pthread -fPIC -fvisibility=hidden $(WARNINGS) $(OUR_CPPFLAGS) $(CFLAGS) $(SANITIZER)
LINK = $(CC) -pthread $(SANITIZER) $(CFLAGS) $(LDFLAGS)
Q = $(if $(V),,@) # V=1 shows whole commands
# Tests build with all processors, unless make was told a number.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),1))

.PHONY: all core sandbox no-sandbox specs deps demo love test test-collector test-locales asan tsan valgrind \
  check lint format rock rockspec dist test-dist picture types docs test-site screenshots diagrams install \
  uninstall clean help
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-print-directory

### Build

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

specs: $(FAULTS) $(call net_spec,$(BUILD)) $(call hang_specs,$(BUILD)) \
    $(PRELOAD_SRC:%.c=$(BUILD)/preload/%.so)
	@:

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -MMD -MP -c $< -o $@

$(CORE): $(call objects,$(CORE_SRC))
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) $(MODULE) -o $@ $^ $(CURL_LIBS) -lm $(SYSTEM_LIBS)

$(SANDBOX): $(call objects,$(SANDBOX_SRC))
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) $(MODULE) -o $@ $^ $(MHD_LIBS)

# The C specs: those of net, and those that a resolver which hangs is preloaded for.
NET_OBJ := $(call objects,$(filter csrc/net/%,$(CORE_SRC)))

$(BUILD)/spec/net_spec: $(call objects,$(NET_SPEC_SRC)) $(NET_OBJ)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -o $@ $^ $(CURL_LIBS) -lm

$(BUILD)/spec/hang_host: $(call objects,spec/net/hang_host.c spec/net/check.c) $(NET_OBJ)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -o $@ $^ $(CURL_LIBS) -lm

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

-include $(patsubst %.o,%.d,$(call objects,$(CORE_SRC) $(SANDBOX_SRC) $(NET_SPEC_SRC) $(FAULT_SRC) \
  $(HOST_SPEC_SRC) spec/net/hang_host.c))

## deps: install the packages that all, demo and test need (Debian), or name them (elsewhere)
deps:
	@:

## demo: build, run examples/quickstart.lua
demo: all
	@tools/in-tree.sh $(BUILD) $(LUA) examples/quickstart.lua

# For each poller the C specs, then busted. UNDER: a command to run them under. APART: a process for each of
# busted's files, since the thread sanitizer keeps memory for every thread that there has been.
POLLERS ?= $(or $(POLLER),epoll $(if $(FLAVOUR),,curl))
BUSTED = $(if $(UNDER)$(FLAVOUR),$(UNDER) $(LUA) tools/busted.lua,busted --lua=$(LUA)) \
  --output=plainTerminal $(if $(filter luajit lua5.3,$(FLAVOUR)),--helper=spec/support/older.lua) \
  $(BUSTED_FLAGS)
in_tree = 'tools/in-tree.sh $(1) $(strip $(2))'
hanging = env LD_PRELOAD=$(1)/preload/spec/net/resolver_hang.so DATASESSION_HANG_FIFO=$(1)/spec/hang.fifo
c_runners_of = $(foreach spec,$(net_spec),$(call in_tree,$(1),$(UNDER) $(spec))) \
  $(foreach spec,$(hang_specs),$(call in_tree,$(1),$(hanging) $(UNDER) $(spec)))
runners_of = $(c_runners_of) $(if $(APART),$(foreach spec,$(BUSTED_SPECS),$(call \
  in_tree,$(1),$(BUSTED) $(spec))),$(call in_tree,$(1),$(BUSTED)))
# The suite mostly waits, so two runs go side by side: of two pollers, or of the two halves of one poller's.
# COVERAGE takes no halves: processes that end together spoil the files of counts that they share.
SPEC_FOLDERS := $(sort $(foreach spec,$(BUSTED_SPECS),spec/$(word 2,$(subst /, ,$(spec)))))
FIRST_HALF := $(filter spec/catalog spec/command spec/data spec/docs spec/net spec/suites,$(SPEC_FOLDERS))
SECOND_HALF := $(filter-out $(FIRST_HALF),$(SPEC_FOLDERS))
halves_of = $(c_runners_of) $(call in_tree,$(1),$(BUSTED) $(FIRST_HALF)) \
  -- $(call in_tree,$(1),$(BUSTED) $(SECOND_HALF))
runners = $(if $(word 2,$(POLLERS)),$(call runners_of,$(call variant,$(word 1,$(POLLERS)))) \
  -- $(call runners_of,$(call variant,$(word 2,$(POLLERS)))),$(call $(if \
  $(APART)$(BUSTED_FLAGS)$(FLAVOUR)$(COVERAGE),runners_of,halves_of),$(call variant,$(POLLERS))))

# One process runs all specs of another Lua, which takes longer than a half does.
long = $(if $(FLAVOUR),$(if $(BUSTED_FLAGS)$(TEST_TIMEOUT),,TEST_TIMEOUT=1800))

### Test

## test: the C specs, then busted over spec/, for both pollers (POLLER=epoll or curl: for that one)
test:
	@set -e; for poller in $(POLLERS); do $(MAKE) $(JOBS) POLLER=$$poller all specs; done
	@LUA=$(LUA) $(long) tools/run-tests.sh $(runners)

## spec/PATH: one spec, or a folder's: make spec/session/ping_spec.lua, spec/net/values_spec.c, spec/store
# .PHONY since the path exists; a make of its own builds, since there a C spec is a file again.
runner_of_one = $(if $(filter spec/host/%.c,$(1)),$(call hanging,$(BUILD)) $(UNDER) $(1:%.c=$(BUILD)/%),$(if \
  $(filter %.c,$(1)),$(UNDER) $(BUILD)/spec/net_spec $(notdir $(1:%_spec.c=%)),$(BUSTED) $(1)))

ifneq ($(ONE_SPEC),)
.PHONY: $(ONE_SPEC)
$(ONE_SPEC):
	@$(MAKE) $(JOBS) all specs
	@LUA=$(LUA) tools/run-tests.sh $(call in_tree,$(BUILD),$(call runner_of_one,$@))
endif

WITH_asan := CC=gcc SANITIZE=address,undefined POLLERS='$(or $(POLLER),epoll)' \
  UNDER='tools/sanitized.sh address'
WITH_tsan := CC=gcc SANITIZE=thread POLLERS='$(or $(POLLER),epoll)' UNDER='tools/sanitized.sh thread' \
  APART=$(if $(BUSTED_FLAGS),,yes)
WITH_valgrind := POLLERS='$(or $(POLLER),epoll)' UNDER=tools/valgrind.sh \
  TEST_TIMEOUT=$(or $(TEST_TIMEOUT),3600)

## asan: test with the address and undefined-behaviour sanitizers and leak check
## tsan: test with the thread sanitizer
## valgrind: test under valgrind
asan tsan valgrind:
	@$(MAKE) $(WITH_$@) test

## love: examples/love in LÖVE, under Xvfb, with a sandbox; LOVE_PICTURE: where its picture goes
love: all
	@$(MAKE) LUA=luajit core
	@tools/in-tree.sh $(BUILD) $(LUA) tools/love.lua \
	  'xvfb-run -a tools/in-tree.sh build/luajit love examples/love' $(LOVE_PICTURE)

COLLECTORS ?= generational eager
collector_runners = $(foreach kind,$(COLLECTORS),$(call in_tree,$(BUILD), \
  env DATASESSION_COLLECTOR=$(kind) $(LUA) tools/busted.lua --output=plainTerminal $(BUSTED_FLAGS)))

## test-collector: busted with a generational, then an eager collector (tools/busted.lua); COLLECTORS: one
test-collector: all specs
	@LUA=$(LUA) tools/run-tests.sh $(collector_runners)

LOCALE_RUNS ?= de_DE.UTF-8:before de_DE.UTF-8:after tr_TR.UTF-8:before tr_TR.UTF-8:after
locale_runners = $(foreach run,$(LOCALE_RUNS),$(call in_tree,$(BUILD), \
  env LOCPATH=$(BUILD)/locales DATASESSION_LOCALE=$(run) $(LUA) tools/busted.lua --output=plainTerminal \
  $(BUSTED_FLAGS)))

## test-locales: busted in locales with other decimal points and letters, set before and after the first use
test-locales: all specs
	@tools/locales.sh $(BUILD)/locales $(LOCALE_RUNS)
	@LUA=$(LUA) tools/run-tests.sh $(locale_runners)

## check: lint, then test
check:
	@$(MAKE) lint
	@$(MAKE) test

include spec/suites/suites.mk spec/suites/torture/torture.mk spec/suites/soak/soak.mk \
  spec/suites/fuzz/fuzz.mk spec/suites/field/field.mk tools/cjson.mk tools/debians.mk tools/coverage.mk \
  tools/mutants.mk tools/apicheck.mk tools/static.mk tools/windows.mk bench/bench.mk

### Develop

## lint: every static check
lint: all specs
	@LUA=$(LUA) tools/lint.sh $(BUILD) $(OUR_CPPFLAGS)

## format: clang-format over the C files
format:
	find csrc spec bench \( -name '*.c' -o -name '*.h' \) -exec clang-format -i {} +

## rock: build the rocks into a scratch tree, load them from there
rock:
	@LUA=$(LUA) tools/try-rocks.sh

## rockspec: write the rockspecs' lists of files
rockspec:
	@$(LUA) tools/rockspec.lua --write

## dist: a release's files in build/dist: tarball, rocks, Debian packages, checksums; of the last commit
dist:
	@LUA=$(LUA) tools/dist.sh build/dist

DIST_ROOTS ?= build/roots

## test-dist: dist; then install each file in a bare root of Debian 12 (below DIST_ROOTS) and try it; as root
test-dist: dist
	@tools/try-dist.sh build/dist $(DIST_ROOTS)

## docs: the site, in build/site; DOCS_FLAGS: of `mkdocs build`
docs: all
	@$(LUA) tools/site.lua build/site-source
	@mkdocs build --quiet --strict $(DOCS_FLAGS)
	@$(LUA) tools/site.lua --search build/site
	@echo "build/site/index.html"

## diagrams: draw docs/diagrams/*.svg from their texts
diagrams:
	@plantuml -tsvg -nometadata docs/diagrams/*.puml

## test-site: build the site, open it and the page of `tree --html` in Chromium
test-site: docs $(call npm,site)
	@cp spec/suites/site/*.js $(NPM)/site
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/site/tree.lua $(NPM)/site/tree.html
	@node $(NPM)/site/check.js build/site $(NPM)/site/tree.html

## screenshots: make docs/pictures: recordings of the command, the site's first page, a page of `tree --html`
screenshots: docs $(call npm,pictures) $(call npm,site)
	@tools/pictures/record.sh $(BUILD) $(LUA) $(NPM)/pictures terminal 114 19
	@tools/pictures/record.sh $(BUILD) $(LUA) $(NPM)/pictures watch 132 7
	@cp spec/suites/site/*.js $(NPM)/site
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/site/tree.lua $(NPM)/site/tree.html
	@node $(NPM)/site/shoot.js build/site $(NPM)/site/tree.html docs/pictures
	@pngquant --force --strip --ext .png docs/pictures/*.png

## types: write types/datasession.lua, the definitions for editors, from docs/
types:
	@$(LUA) tools/types.lua --write

## picture: draw docs/internals/floors.svg, the folders of csrc and what they use
picture:
	@LUA=$(LUA) $(LUA) tools/picture.lua --write

### Install

## install: into PREFIX (/usr/local), below DESTDIR
install: all
	@set -e; put() { echo "  install $$3"; mkdir -p "$$(dirname "$$3")"; install -m "$$1" "$$2" "$$3"; }; \
	for file in $(LUA_SRC); do put 644 "$$file" "$(DESTDIR)$(INST_LUADIR)/$${file#lua/}"; done; \
	for file in $(CORE) $(if $(MHD_LIBS),$(SANDBOX)); do \
	  put 755 "$$file" "$(DESTDIR)$(INST_LIBDIR)/$${file#$(BUILD)/lib/}"; done; \
	put 755 bin/datasession "$(DESTDIR)$(INST_BINDIR)/datasession"; \
	sed -i '1s|.*|#!/usr/bin/env $(LUA)|' "$(DESTDIR)$(INST_BINDIR)/datasession"
	@if $(LUA) -e 'require "argparse"' 2>/dev/null; then \
	  tools/in-tree.sh $(BUILD) $(LUA) tools/command-files.lua "$(DESTDIR)$(INST_MANDIR)" \
	    "$(DESTDIR)$(INST_COMPLETIONS)"; \
	else echo "  no man page, no completions: they need argparse"; fi

## uninstall: remove what install wrote
uninstall:
	rm -rf "$(DESTDIR)$(INST_LUADIR)/datasession" "$(DESTDIR)$(INST_LUADIR)/datasession.lua" \
	  "$(DESTDIR)$(INST_LIBDIR)/datasession" "$(DESTDIR)$(INST_BINDIR)/datasession" \
	  "$(DESTDIR)$(INST_MANDIR)/datasession.1" \
	  "$(DESTDIR)$(INST_COMPLETIONS)/bash-completion/completions/datasession" \
	  "$(DESTDIR)$(INST_COMPLETIONS)/zsh/site-functions/_datasession" \
	  "$(DESTDIR)$(INST_COMPLETIONS)/fish/vendor_completions.d/datasession.fish"

## clean: remove build/
clean:
	rm -rf build

## help: this list
help:
	@awk -f tools/help.awk $(filter Makefile %.mk,$(MAKEFILE_LIST))
