# Changes a line at a time, in a copy of the work tree, and tells which changes the specs let pass. Variables:
#   MUTANTS=20    how many; hand: those of spec/suites/mutants/hand.lua, each with the spec that watches it
#   SEED          of the sample; default: the time
#   ONLY=PATTERN  a Lua pattern: files whose paths match
#   REST=1        when the concept's own specs pass, runs all others too
#   LEAST=85      fails when fewer per cent are killed by the concept's own specs
MUTANTS ?= 20

### Hunt for faults

## mutants: changes of one line that no spec notices. MUTANTS: how many, or hand; SEED; ONLY; REST; LEAST
mutants: all specs
	@LUA=$(LUA) MUTANTS=$(MUTANTS) SEED=$(SEED) ONLY='$(ONLY)' REST=$(REST) LEAST=$(LEAST) \
	  $(LUA) tools/mutants.lua

## mutants-guard: a sample of 20, drawn by the date, of which the specs must notice 85 %
mutants-guard:
	@$(MAKE) mutants MUTANTS=20 SEED=$$(date +%Y%m%d) LEAST=85

.PHONY: mutants mutants-guard
