# The suite on a Lua that asserts what its manual asks of callers of the C API: tools/apicheck-lua.sh builds it.
APICHECK := $(CURDIR)/build/apicheck
NEEDS_apicheck := run test apicheck

## apicheck: the suite, without the C specs that have no Lua, on a Lua 5.4 that checks each call of its C API; BUSTED_FLAGS=FILES: those alone
apicheck:
	@LUA=$(LUA) $(DEPS) $(NEEDS_$@)
	@tools/apicheck-lua.sh $(APICHECK)
	@[ ! -x $(APICHECK)/bin/lua5.4 ] || LD_LIBRARY_PATH=$(APICHECK)/lib$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} \
	  $(MAKE) POLLER=$(or $(POLLER),epoll) LUA=$(APICHECK)/bin/lua5.4 NET_SPEC_SRC= now-test

.PHONY: apicheck
