/*
** Any content of a store for a named session: datasession.new makes a session, and stores good content again.
*/
#include "support.h"

static const char chunk[] =
    "local codec = require 'datasession.internal.codec'\n"
    "local models = { 'anonymous', 'form', 'bearer' }\n"
    "local text, kept\n"
    "local store = { get = function() return text end, set = function(_, _, new) kept = new return true "
    "end,\n"
    "  remove = function() text = nil return true end }\n"
    "return function(input)\n"
    "  for _, model in ipairs(models) do\n"
    "    text, kept = input, nil\n"
    "    local session = datasession.new { serviceURI = 'http://host.example/App', authenticationModel = "
    "model,\n"
    "      name = 'fuzz', store = store, keepTokens = true }\n"
    "    assert(session.state == 'restored' or session.loginResult == nil)\n"
    "    if session.state == 'restored' then\n"
    "      assert(session.connected == false and session.loginResult == datasession.SUCCESS)\n"
    "      session:setContextProperty('more', 'text')\n"
    "      datasession.step()\n"
    "      if kept then assert(codec.decode(kept).format == 1) end\n"
    "    end\n"
    "    session:disconnect()\n"
    "    session:invalidate()\n"
    "    for _ = 1, 4 do datasession.step() end\n"
    "  end\n"
    "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_lua(chunk, NULL, data, size);
  return 0;
}
