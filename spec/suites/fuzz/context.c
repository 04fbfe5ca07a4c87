/* The header X-CLIENT-PROPS: what is taken in can be given back. */
#include "protocol/jsdo/context.h"
#include "support.h"

static const char chunk[] = "return function(input)\n"
                            "  local properties = parse(input)\n"
                            "  if not properties then return end\n"
                            "  local session = datasession.new { serviceURI = 'http://host.example/App' }\n"
                            "  local ok, err = pcall(session.setContext, session, properties)\n"
                            "  assert(ok or tostring(err) ~= '')\n"
                            "  if not ok then return end\n"
                            "  for name in pairs(properties) do assert(type(name) == 'string') end\n"
                            "end";

static int l_parse (lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  return context_parse(L, text, size) ? 1 : 0;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"parse", l_parse}, {NULL, NULL}};
  fuzz_lua(chunk, functions, data, size);
  return 0;
}
