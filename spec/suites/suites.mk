# The suites that have no makefile of their own.

# Packages of npm, each set in a folder of its own: $(call npm,NAME) is a file that is there once they are.
NPM := build/npm
npm = $(NPM)/$(1)/node_modules/.package-lock.json

define npm_packages
$(call npm,$(1)): $(2)/package.json $(2)/package-lock.json
	@mkdir -p $(NPM)/$(1)
	@cp $$^ $(NPM)/$(1)
	@npm ci --prefix $(NPM)/$(1) --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $$@
endef

$(eval $(call npm_packages,openapi,spec/suites/openapi))
$(eval $(call npm_packages,pictures,tools/pictures))
$(eval $(call npm_packages,site,spec/suites/site))

### Hunt for faults

REFERENCE := build/conformance
$(REFERENCE)/node_modules/.package-lock.json: \
    $(addprefix spec/suites/conformance/,package.json package-lock.json)
	@mkdir -p $(REFERENCE)
	@cp $^ $(REFERENCE)
	@npm ci --prefix $(REFERENCE) --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

## conformance: Progress's own client and ours do the same things; docs/differences.md must list what differs
conformance: all $(REFERENCE)/node_modules/.package-lock.json
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/conformance/runner.lua $(REFERENCE) $(CASES)

HAR := build/har
$(HAR)/node_modules/.package-lock.json: $(addprefix spec/suites/har/,package.json package-lock.json check.js)
	@mkdir -p $(HAR)
	@cp $^ $(HAR)
	@npm ci --prefix $(HAR) --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

## conformance-har: HAR files of sessions of each system are valid by the schema of HAR 1.2
conformance-har: all $(HAR)/node_modules/.package-lock.json
	@set -e; files=$$(tools/in-tree.sh $(BUILD) $(LUA) spec/suites/har/record.lua $(HAR)); \
	  node $(HAR)/check.js $$files

## conformance-openapi: a validator accepts the OpenAPI documents that `datasession tree --openapi` writes
conformance-openapi: all $(call npm,openapi)
	@cp spec/suites/openapi/check.js $(NPM)/openapi
	@set -e; files=$$(tools/in-tree.sh $(BUILD) $(LUA) spec/suites/openapi/write.lua $(NPM)/openapi); \
	  node $(NPM)/openapi/check.js $$files

## conformance-hub: OpenAjax's hub and ours do the same things. HUB: its OpenAjax.js; RECORD=1: record; SEED
conformance-hub: all
	@OPENAJAX_HUB=$(HUB) $(MAKE) spec/protocol/proiv/openajax_spec.lua

## torture-network: every kind of request meets every fault of the network, at every byte; KINDS: some kinds
torture-network: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/network/all.lua $(KINDS)

## torture-hostile: more and larger attacks by a server than test tries; SEED: the same again
torture-hostile: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/hostile/more.lua $(SEED)

## torture-channels: callback channels whose connections break. CHANNELS_SECONDS (60); CHANNELS_SEED: the same
torture-channels: all
	@tools/in-tree.sh $(BUILD) $(LUA) spec/suites/channels/run.lua

.PHONY: conformance conformance-har conformance-openapi conformance-hub torture-network torture-hostile \
  torture-channels
