#include "session/hooks.h"

#include "runtime/loop.h"

void session_set_hooks (lua_State *L, const struct session_hooks *hooks) {
  loop_get(L)->hooks = hooks;
}

const struct session_hooks *session_hooks (lua_State *L) {
  return loop_get(L)->hooks;
}
