# Bare roots of Debian, and what they are for: tools/debians.sh. Included by the Makefile.

DEBIANS ?= bookworm trixie sid
DEBIANS_ROOTS ?= build/debians

### Hunt for faults

## debians: test and field in bare roots of Debian 12, 13 and unstable, made by debootstrap in DEBIANS_ROOTS
debians:
	@tools/debians.sh $(DEBIANS_ROOTS) $(DEBIANS)

## test-unstable: demo and test in a bare root of Debian unstable, then both with Lua 5.5; as debians
test-unstable:
	@tools/debians.sh $(DEBIANS_ROOTS) 'sid:demo test LUA=lua5.5 demo test'

# lua-cjson for Lua 5.5, which Debian does not have, from Debian's source. It is not installed. Stable's: the
# mirrors of unstable may lack a source that their index names.
ifeq ($(FLAVOUR),lua5.5)
CJSON_SOURCE := build/lua5.5/sources/lua-cjson
CJSON_MODULE := $(if $(shell command -v apt-get),$(if $(shell $(LUA) -e 'require "cjson"' 2>&1),\
  $(BUILD)/lib/cjson.so))

all: $(CJSON_MODULE)

$(CJSON_SOURCE)/lua_cjson.c:
	@echo "  source of lua-cjson"
	$(Q)DEBIAN_SUITE=stable tools/debian-sources.sh build/lua5.5/sources lua-cjson

$(BUILD)/lib/cjson.so: $(CJSON_SOURCE)/lua_cjson.c
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(CC) -std=gnu11 -fPIC -shared -w -DNDEBUG $(LUA_CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ \
	  $(addprefix $(CJSON_SOURCE)/,lua_cjson.c strbuf.c fpconv.c) -lm
endif

.PHONY: debians test-unstable
