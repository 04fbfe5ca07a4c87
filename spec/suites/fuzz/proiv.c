/*
** The message of a PROIV connect: each detail reads as it was given, in the vendor's order, and no password
** stands in what is shown. The first byte chooses how; then come details, each ended by a byte 0x1f. The
** target judge does the server's answers.
*/
#include "protocol/proiv/proiv.h"
#include "support.h"

static const char chunk[] =
    "local names = { 'sessionType', 'hostname', 'port', 'username', 'password', 'command', 'resourceURL' }\n"
    "local sent = { sessionType = 'SessionType', hostname = 'Hostname', port = 'Port', username = "
    "'Username',\n"
    "  password = 'Password', command = 'Command', resourceURL = 'ResourceURL' }\n"
    "local function decode(text)\n"
    "  return (text:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))\n"
    "end\n"
    "local function data(input)\n"
    "  local list, given = {}, {}\n"
    "  for part in input:sub(2):gmatch '([^\\31]*)\\31' do list[#list + 1] = part end\n"
    "  if input:byte(1) & 1 == 1 then return { service = list[1] or '' } end\n"
    "  for i, name in ipairs(names) do given[name] = list[i] end\n"
    "  return given\n"
    "end\n"
    "local function check(form, given)\n"
    "  local fields, order = {}, {}\n"
    "  for item in form:gmatch '[^&]+' do\n"
    "    local name, value = item:match '^([^=]*)=(.*)$'\n"
    "    fields[name], order[#order + 1] = decode(value), name\n"
    "  end\n"
    "  if given.service or not next(given) then\n"
    "    assert(#order == 1 and fields.SESSION_NAME == (given.service or 'Default'))\n"
    "    return\n"
    "  end\n"
    "  local at = 0\n"
    "  for i, name in ipairs(names) do\n"
    "    assert((fields[sent[name]] or '') == (given[name] or ''), name)\n"
    "    if fields[sent[name]] then at = at + 1 assert(order[at] == sent[name]) end\n"
    "    assert(fields[sent[name]] or i > 5)\n"
    "  end\n"
    "  assert(#order == at)\n"
    "end\n"
    "return function(input)\n"
    "  local given = data(input)\n"
    "  local ok, session = pcall(datasession.new, { protocol = 'proiv', serviceURI = "
    "'http://host.example/App', "
    "proxy = false,\n"
    "    connectionData = given, explicitByGet = input:byte(1) & 2 == 2 })\n"
    "  if not ok then\n"
    "    assert(session:find('connectionData', 1, true), session)\n"
    "    return\n"
    "  end\n"
    "  check(connect(session), given)\n"
    "  session:disconnect()\n"
    "end";

/* connect(session): the query or the body of the connect. */
static int l_connect (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct credentials nobody;
  memset(&nobody, 0, sizeof nobody);
  struct exchange *x = proiv_connect(L, s, &nobody);
  if (!x) return luaL_error(L, "not enough memory");
  const char *text = uri_text(x->request.uri), *query = strchr(text, '?');
  fuzz_check(!strchr(uri_public_text(x->request.uri), '?'), "what is shown has no query");
  if (query)
    lua_pushstring(L, query + 1);
  else
    lua_pushlstring(L, x->request.body.data, x->request.body.length);
  exchange_free(x);
  return 1;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"connect", l_connect}, {NULL, NULL}};
  if (size) fuzz_lua(chunk, functions, data, size);
  return 0;
}
