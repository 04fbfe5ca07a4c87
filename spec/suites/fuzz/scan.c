/*
** The scan of a catalog's bytes: what it takes, the checks take; where it says that things stand, they stand;
** and the catalog that is made of it later, resource by resource, is the one that is made at once.
*/
#include "support.h"

static const char chunk[] =
    "local catalog = require 'datasession.catalog'\n"
    "local codec = require 'datasession.internal.codec'\n"
    "local core = require 'datasession.core'\n"
    "local shared = require 'datasession.internal.catalog.shared'\n"
    "local options = { uri = 'http://host.example/c.json', serviceURI = 'http://host.example/App' }\n"
    "local function same(a, b)\n"
    "  if type(a) ~= 'table' or type(b) ~= 'table' then\n"
    "    assert(a == b and math.type(a) == math.type(b) or a ~= a and b ~= b)\n"
    "    return\n"
    "  end\n"
    "  for key, value in pairs(a) do same(value, b[key]) end\n"
    "  for key in pairs(b) do assert(a[key] ~= nil) end\n"
    "end\n"
    "local function decoded(input, from, to)\n"
    "  local value, message = codec.decode(input:sub(from, to))\n"
    "  return assert(value, message)\n"
    "end\n"
    "local function checkPlaces(input, found)\n"
    "  local count = 0\n"
    "  local services = decoded(input, found.from, found.to)\n"
    "  assert(#services == #found.services)\n"
    "  for i, service in ipairs(found.services) do\n"
    "    assert(service.first == count + 1)\n"
    "    count = service.last\n"
    "    local text = decoded(input, service.from, service.to)\n"
    "    same(text, services[i])\n"
    "    same(text.resources, decoded(input, service.start, service.stop))\n"
    "    for n = service.first, service.last do\n"
    "      local resource = decoded(input, found.starts[n], found.ends[n])\n"
    "      same(resource, text.resources[n - service.first + 1])\n"
    "      assert(resource.name == found.names[n] and found.places[found.names[n]] == n)\n"
    "    end\n"
    "  end\n"
    "  assert(count == #found.names and count == #found.starts and count == #found.ends)\n"
    "end\n"
    "return function(input)\n"
    "  local found = core.scanCatalog(input)\n"
    "  if found then checkPlaces(input, found) end\n"
    "  local whole, message = catalog.parse(input, options)\n"
    "  local entry, why = shared.entry(input)\n"
    "  if not whole then\n"
    "    assert(not entry and why == message, why)\n"
    "    assert(not found or message:find('a name of its own', 1, true), message)\n"
    "    return\n"
    "  end\n"
    "  same(whole, assert(shared.open(assert(entry, why), options)))\n"
    "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_lua(chunk, NULL, data, size);
  return 0;
}
