# Random things happen to sessions of every system for a while: spec/suites/soak/soak.lua.
SOAK_UNDER = $(if $(SANITIZE),tools/sanitized.sh $(firstword $(subst $(comma), ,$(SANITIZE))))

### Hunt for faults

## soak: random calls and faults for sessions of every system. SOAK_SECONDS (60); SOAK_SEED: the same again
soak: export SOAK_SECONDS := $(or $(SOAK_SECONDS),60)
soak: all
	@tools/in-tree.sh $(BUILD) $(SOAK_UNDER) $(LUA) spec/suites/soak/soak.lua

.PHONY: soak
