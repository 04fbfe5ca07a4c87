# Progress's own client is a peer where npm can install it.
BENCH = LUA=$(LUA) CC='$(CC)' \
  BENCH_REFERENCE=$(REFERENCE)/node_modules/@progress/jsdo-core/lib/progress.core.js tools/in-tree.sh $(BUILD)

### Measure

## bench: CPU time and memory beside bare libcurl, lua-cjson and the peers at hand, as a table
bench: all specs
	@! command -v npm >/dev/null || $(MAKE) $(REFERENCE)/node_modules/.package-lock.json || true
	@$(BENCH) bench/run.sh
	@echo
	@$(BENCH) bench/download.sh
	@echo
	@$(BENCH) bench/upload.sh
	@echo
	@$(BENCH) bench/data/run.sh
	@echo
	@$(MAKE) bench-scale

## bench-data: data objects beside lua-cjson and Progress's own class, and how they grow; part of bench
bench-data: all specs
	@! command -v npm >/dev/null || $(MAKE) $(REFERENCE)/node_modules/.package-lock.json || true
	@$(BENCH) bench/data/run.sh

## bench-download: a body of 200 MB beside bare libcurl, the curl tool and Python's requests; part of bench
bench-download: all
	@$(BENCH) bench/download.sh

## bench-upload: the same for a body that is sent; part of bench
bench-upload: all
	@$(BENCH) bench/upload.sh

## bench-scale: whether n times the work costs n times as much: CPU time and its exponent, as a table
bench-scale: all specs
	@tools/in-tree.sh $(BUILD) $(LUA) bench/scale.lua

## bench-instructions: bench by instructions and system calls
bench-instructions: all
	@$(BENCH) bench/instructions.sh

## bench-guard: fails when the instructions of a ping, a life cycle or a start have grown by more than 5 %
bench-guard: all
	@$(BENCH) bench/guard.sh

## bench-luas: the instructions of a ping by Lua 5.4, 5.3 and LuaJIT, as a table
bench-luas: all
	@for lua in lua5.3 luajit; do $(MAKE) LUA=$$lua core || exit; done
	@$(BENCH) bench/luas.sh

## bench-frames: CPU time of a step for a host that steps 60 times a second
bench-frames: all
	@$(BENCH) bench/frames.sh

.PHONY: bench bench-data bench-download bench-upload bench-scale bench-instructions bench-guard bench-luas \
  bench-frames
