# lua-cjson for Lua 5.5, which Debian does not have, from the source of Debian stable: the mirrors of unstable
# may lack a source that their index names. It is not installed. Included by the Makefile.
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
