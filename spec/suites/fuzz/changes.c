/*
** Pending changes of records: whatever is added, changed, deleted, accepted, rejected, sent and answered, in
** whatever order, memory is what a simple model says. Each byte of the input is an operation: changes.lua.
*/
#include "support.h"

static const char chunk[] = "return dofile 'spec/suites/fuzz/changes.lua'";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size) fuzz_lua(chunk, NULL, data, size);
  return 0;
}
