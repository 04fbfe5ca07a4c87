# Measures the lines of csrc that the whole suite runs: a build of its own, then gcovr. A line that cannot be
# run has a marker in the source, GCOVR_EXCL_LINE or GCOVR_EXCL_START, with the reason behind it.
WITH_coverage := CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' COVERAGE=1 \
  POLLERS='epoll$(if $(COVERAGE_SHORT),, curl)'
GCOVR := gcovr --root . --filter csrc/ --exclude-unreachable-branches

### Test

## coverage: fails for lines of csrc that no spec runs and no marker explains. COVERAGE_SHORT=1: only epoll
coverage:
	@$(MAKE) $(WITH_coverage) run-coverage

run-coverage: export DATASESSION_COVERAGE := 1
run-coverage:
	@set -e; for poller in $(POLLERS); do $(MAKE) $(JOBS) POLLER=$$poller all specs; done; $(MAKE) torture-host
	@find $(BUILD) -name '*.gcda' -delete
	@LUA=$(LUA) tools/run-tests.sh $(runners)
	@TORTURE_SHORT=1 tools/in-tree.sh $(BUILD) spec/suites/torture/run.sh $(TORTURE_HOST)
	@$(GCOVR) --fail-under-line 100 --fail-under-branch 85 $(BUILD)
	@$(GCOVR) --no-markers --fail-under-line 95 --txt $(BUILD)/coverage.txt --print-summary $(BUILD)

.PHONY: coverage run-coverage
