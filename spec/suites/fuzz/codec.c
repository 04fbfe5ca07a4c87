/*
** JSON: what is decoded encodes, and decodes to the same again; with the codec as it is, and with all its
** repairs.
*/
#include "support.h"

static const char chunk[] = "local codec = require 'datasession.internal.codec'\n"
                            "local function same(a, b, depth)\n"
                            "  if type(a) == 'number' then return a == b and math.type(b) ~= nil or a ~= a "
                            "end\n" /* 10.0 may come back as 10 */
                            "  if type(a) ~= 'table' then return a == b end\n"
                            "  if type(b) ~= 'table' then return false end\n"
                            "  for key, value in pairs(a) do\n"
                            "    if not same(value, b[key], depth + 1) then return false end\n"
                            "  end\n"
                            "  for key in pairs(b) do\n"
                            "    if a[key] == nil then return false end\n"
                            "  end\n"
                            "  return true\n"
                            "end\n"
                            "local function try(one, input)\n"
                            "  local value, message = one.decode(input)\n"
                            "  if message ~= nil then\n"
                            "    assert(value == nil and type(message) == 'string')\n"
                            "    return\n"
                            "  end\n"
                            "  local text, why = one.encode(value)\n"
                            "  if not text then\n"
                            "    assert(type(why) == 'string')\n"
                            "    return\n"
                            "  end\n"
                            "  local again, fault = one.decode(text)\n"
                            "  assert(fault == nil, fault)\n"
                            "  assert(same(value, again, 1), 'what was encoded decodes to the same')\n"
                            "  if type(value) == 'table' then one.encodeHeader(value) end\n"
                            "end\n"
                            "local repaired = codec.new(require 'cjson.safe', true)\n"
                            "return function(input)\n"
                            "  try(codec, input)\n"
                            "  try(repaired, input)\n"
                            "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_lua(chunk, NULL, data, size);
  return 0;
}
