# Changes csrc or lua in one place at a time, in a copy of the work tree, and tells which changes no spec
# notices. The specs run on the Lua of `make apicheck`. Variables:
#   MUTANTS=20    how many; hand: those of spec/suites/mutants/hand.lua, each with the spec that watches it
#   SEED          of the sample; default: the time
#   ONLY=PATTERN  a Lua pattern: files whose paths match
#   REST=1        when the concept's own specs pass, runs all others too
#   LEAST=85      fails when fewer per cent are killed by the concept's own specs
#   MINUTES=5     begins no mutant after that time; the table is of those that were tried
MUTANTS ?= 20

### Hunt for faults

## mutants: changes that no spec notices. MUTANTS: how many, or hand; SEED; ONLY; REST; LEAST; MINUTES
mutants: all specs
	@mkdir -p build/mutants
	@tools/apicheck-lua.sh $(APICHECK)
	@lua=$(APICHECK)/bin/lua5.4; [ -x "$$lua" ] || lua=$(LUA); LUA=$$lua MUTANTS=$(MUTANTS) \
	  SEED=$(SEED) ONLY='$(ONLY)' REST=$(REST) LEAST=$(LEAST) MINUTES=$(MINUTES) $(LUA) tools/mutants.lua

## mutants-guard: a sample of 20, drawn by the date, of which the specs must notice 85 %; five minutes
mutants-guard:
	@$(MAKE) mutants MUTANTS=20 SEED=$$(date +%Y%m%d) LEAST=85 MINUTES=5

.PHONY: mutants mutants-guard
