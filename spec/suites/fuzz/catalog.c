/* Data Service Catalogs: taken as a whole or refused with a message; what is taken can be walked. */
#include "support.h"

static const char chunk[] =
    "local catalog = require 'datasession.catalog'\n"
    "local function walk(found)\n"
    "  local _ = tostring(found)\n"
    "  for _, service in ipairs(found.services) do\n"
    "    assert(found:service(service.name), 'a service is found by its name')\n"
    "    for _, resource in ipairs(service.resources) do\n"
    "      assert(service:resource(resource.name) and tostring(resource))\n"
    "      pcall(resource.fields, resource)\n"
    "      for _, operation in ipairs(resource.operations) do\n"
    "        local _ = tostring(operation)\n"
    "        assert(operation.name == nil or resource:operation(operation.name))\n"
    "        pcall(operation.expand, operation, { filter = 'a b', id = 1 })\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  for resource in found:eachResource() do assert(resource.service) end\n"
    "end\n"
    "return function(input)\n"
    "  local found, message = catalog.parse(input, { uri = 'http://host.example/App/static/c.json',\n"
    "    serviceURI = 'http://host.example/App' })\n"
    "  if found then walk(found) else assert(type(message) == 'string' and message ~= '') end\n"
    "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_lua(chunk, NULL, data, size);
  return 0;
}
