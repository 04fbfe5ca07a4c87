# Random things happen to sessions of every system for a while: spec/suites/soak/soak.lua.
NEEDS_soak := run
SOAK_UNDER = $(if $(SANITIZE),tools/sanitized.sh $(firstword $(subst $(comma), ,$(SANITIZE))))

## soak: sessions of every system do random things at random faults for SOAK_SECONDS (60); SOAK_SEED: the same again
soak:
	@LUA=$(LUA) $(DEPS) $(NEEDS_$@)
	@$(MAKE) $(WITH_$@) now-$@

now-soak: export SOAK_SECONDS := $(or $(SOAK_SECONDS),60)
now-soak: all
	@tools/in-tree.sh $(BUILD) $(SOAK_UNDER) $(LUA) spec/suites/soak/soak.lua

.PHONY: soak now-soak
