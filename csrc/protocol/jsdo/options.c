/* options: the options of datasession.new that an OpenEdge web application alone takes. */
#include "runtime/options.h"
#include "protocol/jsdo/address.h"
#include "protocol/jsdo/context.h"
#include "protocol/jsdo/jsdo.h"
#include "protocol/jsdo/provider.h"
#include "protocol/jsdo/token_provider.h"
#include "session/protocol.h"

const char *const jsdo_options[] = {"authenticationModel", "timeStamp",     "context",      "authProvider",
                                    "keepTokens",          "tokenProvider", "tokenTimeout", NULL};

/* The options are at 1, the session at 2. */
static void take_context (lua_State *L) {
  int type = lua_getfield(L, 1, "context");
  if (type == LUA_TTABLE) {
    lua_pushcfunction(L, context_set);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 0);
  } else if (type != LUA_TNIL)
    luaL_error(L, "option 'context': expected a table, got %s", lua_typename(L, type));
  lua_pop(L, 1);
}

void jsdo_configure (lua_State *L, struct session *s) {
  s->model = session_model_option(L, 1, "\"anonymous\", \"basic\", \"form\", \"sso\" or \"bearer\"");
  token_provider_options(L, s);
  jsdo_take_time_stamp(L, s);
  take_context(L);
}

/*
** A session with a logged-in provider needs no login of its own: it counts as logged in now, and as connected
** once a server has answered. The options are at 1, the session at 2.
*/
void jsdo_take_provider (lua_State *L, struct session *s) {
  struct provider *provider;
  enum model wanted = s->model == MODEL_SSO ? MODEL_FORM_SSO : s->model;
  if (lua_getfield(L, 1, "authProvider") == LUA_TNIL) {
    if (s->model == MODEL_SSO && !s->who)
      luaL_error(L, "option 'authProvider': an sso session needs an AuthenticationProvider");
    lua_pop(L, 1);
    return;
  }
  provider = provider_test(L, -1);
  if (!provider)
    luaL_error(L, "option 'authProvider': expected an AuthenticationProvider, got %s", luaL_typename(L, -1));
  else if (!provider->who)
    luaL_error(L, "option 'authProvider': it is closed"); /* GCOVR_EXCL_LINE: seen by finalisers alone */
  else if (provider->who->model != wanted)
    luaL_error(L, "option 'authProvider': its model is %s, which does not fit a session of model %s",
               model_name(provider->who->model), model_name(s->model));
  else if (!provider->who->logged_in)
    luaL_error(L, "option 'authProvider': it is not logged in: call its login first");
  else {
    s->who = identity_keep(provider->who);
    session_begin_authorized(s, -1);
  }
  session_setvalue(L, 2, SESSION_PROVIDER);
}
