# Every operation with memory that fails: spec/suites/torture/host.c runs spec/suites/torture/runner.lua.
TORTURE_HOST := $(BUILD)/torture/host

torture-host: $(TORTURE_HOST)
	@:

$(TORTURE_HOST): $(call objects,spec/suites/torture/host.c)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(LINK) -rdynamic -o $@ $^ $(LIBLUA) $(CURL_LIBS)

-include $(patsubst %.o,%.d,$(call objects,spec/suites/torture/host.c))

### Hunt for faults

## torture: every operation, with memory refused at each request, sanitized. TORTURE_SHORT=1: a sample
torture:
	@$(MAKE) CC=gcc SANITIZE=address,undefined run-torture

run-torture: all torture-host
	@tools/in-tree.sh $(BUILD) spec/suites/torture/run.sh $(TORTURE_HOST)

.PHONY: torture run-torture torture-host
