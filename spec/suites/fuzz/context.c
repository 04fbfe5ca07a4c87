/* The header X-CLIENT-PROPS: what is taken in can be given back. */
#include "protocol/jsdo/context.h"
#include "session/session.h"
#include "support.h"

static const char chunk[] = "local session = datasession.new { serviceURI = 'http://host.example/App' }\n"
                            "return function(input)\n"
                            "  if not take(session, input) then return end\n"
                            "  local properties = session:getContext()\n"
                            "  for name in pairs(properties) do assert(type(name) == 'string') end\n"
                            "  session:setContext(properties)\n"
                            "end";

/* take(session, text): true if the session has taken in the properties of this header line. */
static int l_take (lua_State *L) {
  size_t size;
  struct session *s = session_check(L, 1);
  const char *text = luaL_checklstring(L, 2, &size);
  bool taken;
  context_hear(L, s, text, size);
  taken = context_is_good(L, s, text);
  if (taken) context_accept(L, 1, text, size);
  lua_pushboolean(L, taken);
  return 1;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"take", l_take}, {NULL, NULL}};
  fuzz_lua(chunk, functions, data, size);
  return 0;
}
