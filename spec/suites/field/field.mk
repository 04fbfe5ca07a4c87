# Real servers: nginx, Apache httpd, Tomcat, tinyproxy, `openssl s_server`.

## field: what sessions can do, at real servers. FIELD_SHORT=1: fewer sizes and numbers; FIELD_REQUIRED=1: fails where a
## field: server is missing, instead of skipping; CASES: some of spec/suites/field/cases
field:
	@LUA=$(LUA) $(DEPS) run test
	@LUA=$(LUA) $(DEPS) field $(if $(FIELD_REQUIRED),,|| :)
	@$(MAKE) now-$@

now-field: all
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/field/run.lua $(if $(FIELD_SHORT),--short) $(CASES)

.PHONY: field now-field
