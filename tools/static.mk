# datasession as part of a program in C: docs/engine.md. Included by the Makefile.

# Only these names are seen outside the object.
STATIC_NAMES := luaopen_datasession datasession_step datasession_pollfd datasession_timeout
STATIC := $(BUILD)/static/datasession.o
STATIC_SRC := csrc/host/host.c
LUA_TEXTS := $(BUILD)/static/lua_modules
OBJCOPY ?= objcopy
CXXFLAGS ?= $(CFLAGS)

### Build

## static: build/static/datasession.o, to be linked into a program, and datasession.h
static: $(STATIC) $(BUILD)/static/datasession.h
	@:

$(LUA_TEXTS).c: $(LUA_SRC) tools/embed.lua
	@mkdir -p $(@D)
	@echo "  embed $@"
	$(Q)$(LUA) tools/embed.lua >$@

$(LUA_TEXTS).o: $(LUA_TEXTS).c
	@echo "  cc $<"
	$(Q)$(COMPILE) -c $< -o $@

# Other names are local to the object: a program may have the same ones.
$(STATIC): $(call objects,$(CORE_SRC) $(STATIC_SRC)) $(LUA_TEXTS).o
	@echo "  ld $@"
	$(Q)$(LD) -r -o $@ $^
	$(Q)$(OBJCOPY) $(STATIC_NAMES:%=--keep-global-symbol=%) $@

$(BUILD)/static/datasession.h: csrc/host/datasession.h
	@mkdir -p $(@D)
	@cp $< $@

AMALGAMATION := $(BUILD)/amalgamation/datasession

## amalgamation: datasession.c, the whole client, and datasession.h, in build/amalgamation
amalgamation: $(AMALGAMATION).c $(AMALGAMATION).h
	@:

$(AMALGAMATION).c: $(CORE_SRC) $(STATIC_SRC) $(wildcard csrc/*/*.h csrc/*/*/*.h) $(LUA_TEXTS).c \
    tools/amalgamate.lua
	@mkdir -p $(@D)
	@echo "  amalgamate $@"
	$(Q)$(LUA) tools/amalgamate.lua $(LUA_TEXTS).c $(CORE_SRC) $(STATIC_SRC) >$@

$(AMALGAMATION).h: csrc/host/datasession.h
	@mkdir -p $(@D)
	@cp $< $@

### Test

## arm64: compile it for arm64 and run examples/host.c under qemu-user
arm64: all amalgamation
	@LUA=$(LUA) tools/arm64.sh build/arm64

# Without gcc-multilib: what the C library's headers want of its other half is empty.
CFLAGS_m32 := -std=c11 -O1 -pthread -Wall -Wextra -Wpedantic -Wconversion -Werror -Itools/stubs/m32 \
  -isystem $(shell $(CC) -print-multiarch | sed 's,^,/usr/include/,')

## m32: compile the client for 32 bits
m32: amalgamation
	@echo "  cc -m32 $(AMALGAMATION).c"
	$(Q)$(CC) -m32 $(CFLAGS_m32) $(LUA_CPPFLAGS) $(CURL_CPPFLAGS) -fsyntax-only $(AMALGAMATION).c

## test-amalgamation: compile and run it with each compiler
test-amalgamation: all amalgamation
	@LUA=$(LUA) tools/run-tests.sh $(call in_tree,$(BUILD),$(BUSTED) spec/suites/static/amalgamation.lua)

# static_spec and the examples, for the specs.
STATIC_LIBS := $(CJSON) $(LIBLUA) $(CURL_LIBS) -lm
HOSTS := host $(if $(shell command -v $(CXX)),host++)
EXAMPLE_HOSTS := $(if $(CJSON),$(HOSTS:%=$(BUILD)/examples/%))

specs: $(EXAMPLE_HOSTS)

$(BUILD)/spec/host/static_spec: $(STATIC)
$(BUILD)/spec/host/static_spec: LIBLUA := $(STATIC_LIBS)

$(BUILD)/examples/host: examples/host.c $(STATIC) $(BUILD)/static/datasession.h
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(LINK) $(WARNINGS) -I$(BUILD)/static $(LUA_CPPFLAGS) $(CPPFLAGS) -o $@ $< $(STATIC) $(STATIC_LIBS)

$(BUILD)/examples/host++: examples/host.cpp $(STATIC) $(BUILD)/static/datasession.h
	@mkdir -p $(@D)
	@echo "  c++ $<"
	$(Q)$(CXX) -pthread $(SANITIZER) $(CXXFLAGS) $(LDFLAGS) $(WARNINGS) -I$(BUILD)/static $(LUA_CPPFLAGS) \
	  $(CPPFLAGS) -o $@ $< $(STATIC) $(STATIC_LIBS)

-include $(patsubst %.c,$(BUILD)/obj/%.d,$(STATIC_SRC))

.PHONY: static amalgamation test-amalgamation arm64 m32
