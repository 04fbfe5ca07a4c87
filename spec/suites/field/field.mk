# Real servers: nginx, Apache httpd, Tomcat, tinyproxy, `openssl s_server`.

# FIELD_REQUIRED=1: where a server is missing the suite fails, instead of being skipped.

## field: what sessions can do, at real servers. FIELD_SHORT=1: less of all; CASES: some of its cases
field:
	@LUA=$(LUA) $(DEPS) run test
	@LUA=$(LUA) $(DEPS) field $(if $(FIELD_REQUIRED),,|| :)
	@$(MAKE) now-$@

now-field: all
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/field/run.lua $(if $(FIELD_SHORT),--short) $(CASES)

.PHONY: field now-field

DEBIANS ?= bookworm trixie sid
DEBIANS_ROOTS ?= build/debians

## debians: `make test` and `make field` in bare roots of Debian 12, 13 and unstable, which debootstrap makes in DEBIANS_ROOTS.
debians:
	@LUA=$(LUA) $(DEPS) debians
	@tools/debians.sh $(DEBIANS_ROOTS) $(DEBIANS)

.PHONY: debians
