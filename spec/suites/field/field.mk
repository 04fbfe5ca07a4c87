# Real servers: nginx, Apache httpd, Tomcat, tinyproxy, `openssl s_server`.

### Hunt for faults

# FIELD_REQUIRED=1: the suite fails where a server is missing; else it tries nothing there.

## field: sessions at real servers. FIELD_SHORT=1: fewer repetitions; CASES: some cases
field: all
	@LUA=$(LUA) $(DEPS) field $(if $(FIELD_REQUIRED),,|| :)
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/field/run.lua $(if $(FIELD_SHORT),--short) $(CASES)

.PHONY: field
