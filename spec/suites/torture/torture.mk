# Every operation with memory that fails: spec/suites/torture/host.c runs spec/suites/torture/runner.lua.
TORTURE_HOST := $(BUILD)/torture/host

torture-host: $(TORTURE_HOST)
	@:

$(TORTURE_HOST): $(call objects,spec/suites/torture/host.c)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -rdynamic -o $@ $^ $(LIBLUA) $(CURL_LIBS)

-include $(patsubst %.o,%.d,$(call objects,spec/suites/torture/host.c))

WITH_torture := CC=gcc SANITIZE=address,undefined
NEEDS_torture := run

## torture: every operation, memory failing at each of its requests; under the address sanitizer. TORTURE_SHORT=1: a sample
torture:
	@LUA=$(LUA) $(DEPS) $(NEEDS_$@)
	@$(MAKE) $(WITH_$@) now-$@

now-torture: all torture-host
	@tools/in-tree.sh $(BUILD) spec/suites/torture/run.sh $(TORTURE_HOST)

.PHONY: torture now-torture torture-host
