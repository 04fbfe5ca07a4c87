#include "catalog/arguments.h"

#include "catalog/uri_cache.h"
#include "runtime/options.h"
#include "session/hooks.h"
#include "session/verbs.h"

/*
** Checks the URI on top, number `which`. One with an authority must be usable for a request, unless it is a
** file's.
*/
static void check_absolute (lua_State *L, const struct session *s, lua_Integer which) {
  const char *why = "";
  if (!uri_cache_absolute(L, -1)) return;
  if (!uri_cache_push(L, s, -1, &why))
    luaL_argerror(L, 2, lua_pushfstring(L, "catalog URI %I: the URI %s", (LUAI_UACINT)which, why));
  lua_pop(L, 1);
}

/* Makes `uris` at 2 an array. Raises for an invalid URI. */
static void check_uris (lua_State *L, const struct session *s) {
  lua_Integer i, n;
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, 1);
    lua_replace(L, 2);
  } else if (lua_type(L, 2) != LUA_TTABLE)
    luaL_typeerror(L, 2, "a URI or an array of URIs");
  n = (lua_Integer)lua_rawlen(L, 2);
  for (i = 1; i <= n; i++) {
    if (lua_rawgeti(L, 2, i) != LUA_TSTRING || !lua_rawlen(L, -1))
      luaL_argerror(L, 2, lua_pushfstring(L, "catalog URI %I: expected a non-empty string", (LUAI_UACINT)i));
    check_absolute(L, s, i);
    lua_pop(L, 1);
  }
}

/*
** addCatalog(uri, username, password [, options]) or addCatalog(uri [, options]). Returns the index of the
** options.
*/
static int check_signature (lua_State *L) {
  if (lua_type(L, 3) != LUA_TSTRING) {
    if (!lua_isnil(L, 3) && !lua_istable(L, 3)) luaL_typeerror(L, 3, "a user name, or a table of options");
    luaL_argcheck(L, lua_isnil(L, 4), 4, "expected no arguments after the options");
    return 3;
  }
  session_check_credentials(L, 3, MODEL_BASIC);
  return 5;
}

/* Leaves the provider, or nil, on the stack. */
static double check_options (lua_State *L, int index) {
  static const char *const known[] = {"authProvider", "iOSBasicAuthTimeout", NULL};
  double limit = 0;
  if (lua_isnil(L, index)) {
    lua_pushnil(L);
    return 0;
  }
  options_check(L, index, "addCatalog", known);
  limit = options_number(L, index, "iOSBasicAuthTimeout", 0, 0) / 1000;
  if (lua_getfield(L, index, "authProvider") == LUA_TNIL) return limit;
  if (!session_hooks(L)->provider.identity(L, -1))
    luaL_error(L, "addCatalog: option 'authProvider': expected an AuthenticationProvider, got %s",
               luaL_typename(L, -1));
  if (index != 3)
    luaL_error(L, "addCatalog: expected a user name and password or option 'authProvider', not both");
  return limit;
}

double arguments_check (lua_State *L, const struct session *s) {
  lua_settop(L, 5);
  check_uris(L, s);
  return check_options(L, check_signature(L));
}

bool arguments_take_identity (lua_State *L, const struct session *s, struct operation *op) {
  size_t user_length, password_length;
  const char *user, *password;
  if (!lua_isnil(L, ARGUMENTS_PROVIDER))
    op->apart = identity_keep(session_hooks(L)->provider.identity(L, ARGUMENTS_PROVIDER));
  if (lua_type(L, 3) != LUA_TSTRING) return true;
  user = lua_tolstring(L, 3, &user_length);
  password = lua_tolstring(L, 4, &password_length);
  op->apart = identity_new(s->loop, MODEL_BASIC, s->service, s->transport);
  return op->apart && identity_set_credentials(op->apart, user, user_length, password, password_length);
}

const char *arguments_refusal (lua_State *L, const struct operation *op) {
  if (op->session->model == MODEL_SSO && lua_type(L, 3) == LUA_TSTRING)
    return "an sso session takes no user name: pass the option authProvider";
  if (op->apart && !op->apart->credentials && !op->apart->logged_in)
    return "the AuthenticationProvider is not logged in: call its login first";
  return NULL;
}
