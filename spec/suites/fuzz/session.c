/*
** A whole session against a server that says what the input says: scripted.h. The first byte chooses the
** model.
*/
#include "scripted.h"
#include "support.h"

static const char chunk[] =
    "local models = { 'anonymous', 'basic', 'form', 'bearer', 'sso' }\n"
    "local function drive(promise)\n"
    "  local turns = 0\n"
    "  while promise:state() == 'pending' do\n"
    "    serve()\n"
    "    datasession.step(turns < 20 and 0 or 0.001)\n"
    "    turns = turns + 1\n"
    "    assert(turns < 3000, 'a promise is never settled')\n"
    "  end\n"
    "  return promise:await(0)\n"
    "end\n"
    "local known\n" /* the server itself says the password: libFuzzer finds out what is compared */
    "local function look(value, err)\n"
    "  if value == nil then\n"
    "    assert(type(err) == 'table' and err.kind and err.kind ~= 'memory' and tostring(err) ~= '')\n"
    "    assert(known or not tostring(err):find('pAsSwOrD', 1, true), 'a password is told')\n"
    "  end\n"
    "  return value\n"
    "end\n"
    "return function(input)\n"
    "  local model = models[1 + input:byte(1) % #models]\n"
    "  known = input:find('pAsSwOrD', 1, true) ~= nil\n"
    "  local root = 'http://127.0.0.1:' .. begin(input, 2) .. '/App'\n"
    "  local options = { serviceURI = root, authenticationModel = model, timeout = 0.5, proxy = false, "
    "maxResponseSize = 65536 }\n"
    "  if model == 'sso' then\n"
    "    local provider = datasession.AuthenticationProvider { uri = root, authenticationModel = 'form_sso', "
    "timeout = 0.5,\n"
    "      proxy = false }\n"
    "    local ok = drive(provider:login('lua', 'pAsSwOrD'))\n"
    "    if not ok then return finish() end\n"
    "    if provider:hasRefreshToken() then look(drive(provider:refresh())) end\n"
    "    if not provider:hasClientCredentials() then return finish() end\n"
    "    options.authProvider = provider\n"
    "  end\n"
    "  local session = datasession.new(options)\n"
    "  session:subscribe('online', function() end)\n"
    "  session:subscribe('offline', function(_, reason) assert(type(reason) == 'string') end)\n"
    "  if model == 'bearer' then look(drive(session:login('pAsSwOrD')))\n"
    "  elseif model ~= 'sso' then look(drive(session:login('lua', 'pAsSwOrD'))) end\n"
    "  look(drive(session:ping()))\n"
    "  look(drive(session:addCatalog 'static/c.json'))\n"
    "  local response = look(drive(session:request { path = '/rest/x', json = { a = 1 }, method = 'PUT' }))\n"
    "  if response then\n"
    "    local _ = response.status, response.body, response.headers, response:json(), tostring(response)\n"
    "  end\n"
    "  look(drive(session:isAuthorized()))\n"
    "  look(drive(session:invalidate()))\n"
    "  finish()\n"
    "end";

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size) fuzz_lua(chunk, scripted_functions, data, size);
  return 0;
}
