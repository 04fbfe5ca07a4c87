# The suite on a Lua that asserts what its manual asks of callers of the C API: tools/apicheck-lua.sh builds
# it.
APICHECK := $(CURDIR)/build/apicheck

### Test

## apicheck: test on a Lua that checks calls of its C API and blocks; no C specs; BUSTED_FLAGS=FILES: those
apicheck:
	@tools/apicheck-lua.sh $(APICHECK)
	@[ ! -x $(APICHECK)/bin/lua5.4 ] || LD_LIBRARY_PATH=$(APICHECK)/lib$${LD_LIBRARY_PATH:+:$$LD_LIBRARY_PATH} \
	  $(MAKE) POLLER=$(or $(POLLER),epoll) LUA=$(APICHECK)/bin/lua5.4 NET_SPEC_SRC= test

.PHONY: apicheck
