# Bare roots of Debian, and what they are for: tools/debians.sh. Included by the Makefile.

DEBIANS ?= bookworm trixie sid
DEBIANS_ROOTS ?= build/debians

### Hunt for faults

## debians: test and field in bare roots of Debian 12, 13 and unstable, made by debootstrap in DEBIANS_ROOTS
debians:
	@tools/debians.sh $(DEBIANS_ROOTS) $(DEBIANS)

## test-unstable: demo and test in a bare root of Debian unstable, then both with Lua 5.5; as debians
test-unstable:
	@tools/debians.sh $(DEBIANS_ROOTS) 'sid:demo test LUA=lua5.5 demo test'

.PHONY: debians test-unstable
