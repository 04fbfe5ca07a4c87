# What of csrc the whole suite runs: a build of its own, then gcovr, then tools/coverage.lua.
WITH_coverage := CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' COVERAGE=1 POLLERS='epoll$(if $(COVERAGE_SHORT),, curl)'
COVERAGE_JSON := $(BUILD)/coverage.json

### Test

## coverage: which lines and branches of csrc the specs and a short torture run; each that they do not has a reason. COVERAGE_SHORT=1: only epoll
coverage:
	@$(MAKE) $(WITH_coverage) run-coverage

run-coverage: export DATASESSION_COVERAGE := 1
run-coverage:
	@set -e; for poller in $(POLLERS); do $(MAKE) POLLER=$$poller all specs; done; $(MAKE) torture-host
	@find $(BUILD) -name '*.gcda' -delete
	@LUA=$(LUA) tools/run-tests.sh $(runners)
	@TORTURE_SHORT=1 tools/in-tree.sh $(BUILD) spec/suites/torture/run.sh $(TORTURE_HOST)
	@gcovr --root . --filter csrc/ --exclude-unreachable-branches --json $(COVERAGE_JSON) $(BUILD)
	@$(LUA) tools/coverage.lua $(COVERAGE_JSON) tools/uncovered.txt

.PHONY: coverage run-coverage
