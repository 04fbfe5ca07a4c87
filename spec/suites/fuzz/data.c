/*
** Data objects against a server that says what the input says: the bodies of the answers are the pieces
** between bytes 0x1e, whose first byte tells the status. The first byte of the input chooses the resource,
** the second what is done: data.lua.
*/
#include "scripted.h"
#include "support.h"

static const char chunk[] = "return dofile 'spec/suites/fuzz/data.lua'";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size > 2) fuzz_lua(chunk, scripted_functions, data, size);
  return 0;
}
