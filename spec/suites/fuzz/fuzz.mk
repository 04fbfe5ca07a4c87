# Each NAME.c here but support.c and scripted.c is a libFuzzer target; seeds/NAME/ is what it begins with.
FUZZ_SOURCES := $(sort $(wildcard spec/suites/fuzz/*.c))
FUZZ_ALL := $(filter-out support scripted,$(FUZZ_SOURCES:spec/suites/fuzz/%.c=%))
FUZZ_TARGETS ?= $(FUZZ_ALL)
FUZZ_CC ?= clang
FUZZ_BUILD := build/fuzz
FUZZ_SANITIZE := address,undefined
FUZZ_COMPILE = $(FUZZ_CC) -std=c11 -pthread -fvisibility=hidden -Wall -Wextra -Werror $(OUR_CPPFLAGS) \
  -Ispec/suites/fuzz -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all \
  -fsanitize=fuzzer-no-link,$(FUZZ_SANITIZE)
fuzz_objects = $(patsubst %.c,$(FUZZ_BUILD)/obj/%.o,$(1))

$(FUZZ_BUILD)/obj/%.o: %.c Makefile spec/suites/fuzz/fuzz.mk
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(FUZZ_COMPILE) -MMD -MP -c $< -o $@

FUZZ_LIBRARY := $(call fuzz_objects,spec/suites/fuzz/support.c spec/suites/fuzz/scripted.c $(CORE_SRC))

$(FUZZ_BUILD)/bin/%: $(FUZZ_BUILD)/obj/spec/suites/fuzz/%.o $(FUZZ_LIBRARY)
	@mkdir -p $(@D)
	@echo "  ld $@"
	$(Q)$(FUZZ_CC) -pthread -g -fsanitize=fuzzer,$(FUZZ_SANITIZE) -rdynamic -o $@ $^ $(LIBLUA) $(CURL_LIBS)

-include $(patsubst %.o,%.d,$(call fuzz_objects,$(FUZZ_ALL:%=spec/suites/fuzz/%.c)) $(FUZZ_LIBRARY))

### Hunt for faults

## fuzz: every parser, and a session at a scripted server, by libFuzzer. FUZZ_SECONDS (30), FUZZ_RUNS: of each
fuzz: $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/bin/%)
	@tools/in-tree.sh build spec/suites/fuzz/run.sh $(FUZZ_BUILD) $(FUZZ_TARGETS)

.PHONY: fuzz
