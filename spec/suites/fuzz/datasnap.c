/*
** Addresses and bodies of DataSnap calls: what is written reads as what was asked for. The first byte chooses
** the verb; then come, each ended by a byte 0x1f, class, method and parameters; after a byte 0x1e filters,
** name and value in turn. The first byte of a parameter or of a filter's value says what it is.
*/
#include "protocol/datasnap/datasnap.h"
#include "support.h"

static const char chunk[] =
    "local codec = require 'datasession.internal.codec'\n"
    "local verbs = { 'GET', 'PUT', 'POST', 'DELETE' }\n"
    "local root = 'http://host.example/App'\n"
    "local session = datasession.new { protocol = 'datasnap', serviceURI = root, proxy = false }\n"
    "local null = datasession.null\n"
    "local function value(text)\n"
    "  local kind, rest = text:sub(1, 1), text:sub(2)\n"
    "  if kind == 'n' then return math.tointeger(tonumber(rest)) or tonumber(rest) or 0 end\n"
    "  if kind == 't' or kind == 'f' then return kind == 't' end\n"
    "  if kind == 'z' then return null end\n"
    "  if kind == 'j' then return codec.decode(rest) or null end\n"
    "  return rest\n"
    "end\n"
    "local function split(text)\n"
    "  local list = {}\n"
    "  for part in text:gmatch '([^\\31]*)\\31' do list[#list + 1] = part end\n"
    "  return list\n"
    "end\n"
    "local function decode(text)\n"
    "  assert(not text:find '[^%w%%._~-]', 'a part of an address holds plain bytes only')\n"
    "  return (text:gsub('%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end))\n"
    "end\n"
    "local function same(a, b)\n"
    "  if type(a) == 'table' and type(b) == 'table' then\n"
    "    for key, one in pairs(a) do if not same(one, b[key]) then return false end end\n"
    "    for key in pairs(b) do if a[key] == nil then return false end end\n"
    "    return true\n"
    "  end\n"
    "  return a == b\n"
    "end\n"
    "local function text(one)\n" /* as it stands in an address; numbers apart */
    "  if one == null then return 'null' end\n"
    "  return tostring(one)\n"
    "end\n"
    "local function sameText(read, given)\n"
    "  if type(given) == 'number' then return tonumber(read) == given end\n"
    "  return read == text(given)\n"
    "end\n"
    "local function checkPath(path, class, method, params)\n"
    "  local segments = {}\n"
    "  for segment in path:gmatch '([^/]*)/' do segments[#segments + 1] = decode(segment) end\n"
    "  assert(table.concat(segments, '/') .. '/' == decode((path:gsub('/', '%%2F'))))\n"
    "  assert(segments[1] == class and segments[2] == method)\n"
    "  for i = 3, #segments do assert(sameText(segments[i], params[i - 2])) end\n"
    "  return #segments - 2\n"
    "end\n"
    "local function checkQuery(query, filters)\n"
    "  local count = 0\n"
    "  for item in query:gmatch '[^&]+' do\n"
    "    local name, shown = item:match '^([^=]*)=?(.*)$'\n"
    "    local given = filters[decode(name)]\n"
    "    assert(given ~= nil and (given == null and shown == '' or sameText(decode(shown), given)))\n"
    "    count = count + 1\n"
    "  end\n"
    "  for _ in pairs(filters) do count = count - 1 end\n"
    "  assert(count == 0, 'every filter is sent once')\n"
    "end\n"
    "local function checkBody(body, params, from)\n"
    "  if from > #params then return assert(body == nil) end\n"
    "  local read = codec.decode(body)\n"
    "  local rest = table.move(params, from, #params, 1, {})\n"
    "  if #rest == 1 and same(read, rest[1]) then return end\n"
    "  assert(same(read, { _parameters = rest }), 'the body holds what the address does not')\n"
    "end\n"
    "local function raised(message, what)\n"
    "  assert(type(message) == 'string' and message:find(what, 1, true), message)\n"
    "end\n"
    "local function checkBatch(class, method, params)\n"
    "  local ok, body = pcall(batch, { { class = class, method = method, params = params }, { class = 'A', "
    "method = 'b' } })\n"
    "  if not ok then return raised(body, 'batch: call 1') end\n"
    "  local read = codec.decode(body)\n"
    "  assert(#read == 2 and same(read[1], { execute = { [class .. '.' .. method] = params } }))\n"
    "end\n"
    "local function filtersOf(text)\n"
    "  local list, filters = split(text), {}\n"
    "  for i = 1, #list - 1, 2 do\n"
    "    local one = value(list[i + 1])\n"
    "    if list[i] ~= '' and type(one) ~= 'table' then filters[list[i]] = one end\n"
    "  end\n"
    "  return filters\n"
    "end\n"
    "return function(input)\n"
    "  local verb = verbs[1 + input:byte(1) % 4]\n"
    "  local calls, rest = input:sub(2):match '^([^\\30]*)\\30?(.*)$'\n"
    "  local list, filters = split(calls), filtersOf(rest)\n"
    "  local class, method, params = list[1] or 'Class', list[2] or 'Method', {}\n"
    "  for i = 3, #list do params[i - 2] = value(list[i]) end\n"
    "  local prefix = session:getURLPrefix()\n"
    "  local cached = session:getCacheURL(rest)\n"
    "  assert(cached:sub(1, #root) == root)\n"
    "  if not class:find '\\0' and not method:find '\\0' then checkBatch(class, method, params) end\n"
    "  local ok, url, body = pcall(session.getMethodURL, session, class, method, params, { verb = verb, "
    "filters "
    "= filters })\n"
    "  if not ok then return raised(url, 'getMethodURL') end\n"
    "  assert(url:sub(1, #prefix) == prefix and parses(url))\n"
    "  local path, query = url:sub(#prefix + 1):match '^([^?]*)[?]?(.*)$'\n"
    "  local sent = checkPath(path, class, method, params)\n"
    "  checkQuery(query, filters)\n"
    "  checkBody(body, params, sent + 1)\n"
    "end";

/* parses(address): it is one, and needs nothing encoded. */
static int l_parses (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length), *why;
  struct uri *uri = uri_parse(&fuzz_memory, text, length, &why);
  lua_pushboolean(L, uri && !strcmp(uri_text(uri), text));
  uri_release(uri);
  return 1;
}

static int l_batch (lua_State *L) {
  datasnap_push_batch(L, 1);
  return 1;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"parses", l_parses}, {"batch", l_batch}, {NULL, NULL}};
  if (size) fuzz_lua(chunk, functions, data, size);
  return 0;
}
