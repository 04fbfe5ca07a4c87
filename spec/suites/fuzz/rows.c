/*
** Large answers: what is scanned and decoded in slices is what the codec makes of the whole; the places that
** the scan gives are those of arrays and of whole rows in them.
*/
#include "support.h"

static const char chunk[] =
    "local codec = require 'datasession.internal.codec'\n"
    "local core = require 'datasession.core'\n"
    "local plain = codec.describe().repaired and codec.new(require 'cjson.safe', true) or codec\n"
    "local document = require 'datasession.internal.data.document'\n"
    "local LARGE = (' '):rep(33000)\n"
    "local function same(a, b)\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then\n"
    "    assert(a == b and math.type(a) == math.type(b) or a ~= a and b ~= b, 'another value')\n"
    "    return\n"
    "  end\n"
    "  assert(plain.isArray(a) == codec.isArray(b), 'another kind of table')\n"
    "  for key, value in pairs(a) do same(value, b[key]) end\n"
    "  for key in pairs(b) do assert(a[key] ~= nil, 'one more') end\n"
    "end\n"
    "local function scanned(input, size, bytes)\n"
    "  local go = core.rowScanner(input, size)\n"
    "  local arrays\n"
    "  repeat arrays = go(bytes) until arrays ~= true\n"
    "  return arrays\n"
    "end\n"
    "local function checkArray(input, array)\n"
    "  assert(input:sub(array.from, array.from) == '[' and input:sub(array.to, array.to) == ']')\n"
    "  local list, count, last = codec.decode '[]', 0, array.from\n"
    "  for i = 1, #array, 2 do\n"
    "    assert(array[i] > last and array[i + 1] >= array[i] and array[i + 1] < array.to)\n"
    "    last = array[i + 1]\n"
    "    count = codec.decodeRows(input, array[i], array[i + 1], list, count)\n"
    "    if not count then return end\n"
    "  end\n"
    "  local whole = plain.decode(input:sub(array.from, array.to))\n"
    "  if whole then same(whole, list) end\n"
    "end\n"
    "return function(input)\n"
    "  for _, size in ipairs { 1, 40, 100000 } do\n"
    "    for _, array in ipairs(scanned(input, size, size) or {}) do checkArray(input, array) end\n"
    "  end\n"
    "  if #input % 4 > 0 then return end\n" /* the rest takes long */
    "  local value, message = plain.decode(input)\n"
    "  local sliced, why = document.decode(LARGE .. input, function() end)\n"
    "  assert((value == nil) == (sliced == nil), tostring(message) .. ' / ' .. tostring(why))\n"
    "  if value == nil then assert(type(why) == 'string') end\n"
    "  same(value, sliced)\n"
    "  same(value, (codec.decode(input)))\n"
    "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_lua(chunk, NULL, data, size);
  return 0;
}
