#include "catalog/details.h"

#include "runtime/error.h"
#include "session/session.h"
#include "session/verdict.h"

void details_push_one (lua_State *L, const struct operation *op, lua_Integer which) {
  operation_push(L, op);
  compat_getslot(L, -1, DETAILS_SLOT);
  lua_rawgeti(L, -1, which);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void details_clear (lua_State *L, int index, const char *name) {
  index = lua_absindex(L, index);
  lua_pushnil(L);
  lua_setfield(L, index, name);
}

void details_set_result (lua_State *L, enum result result) {
  error_push_result(L, result);
  lua_setfield(L, -2, "result");
}

void details_set_error (lua_State *L, const struct exchange *x) {
  struct fault fault = {.kind = "catalog", .result = RESULT_GENERAL_FAILURE};
  lua_getfield(L, -2, "catalogURI");
  fault.message =
      lua_pushfstring(L, "addCatalog: %s: %s", x ? uri_public_text(x->response.uri) : lua_tostring(L, -1),
                      lua_tostring(L, -2));
  if (x) {
    fault.status = x->response.status;
    fault.uri = x->response.uri;
  }
  error_push(L, &fault);
  lua_setfield(L, -5, "errorObject");
  lua_pop(L, 3);
  details_set_result(L, RESULT_GENERAL_FAILURE);
}

void details_push (lua_State *L) {
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, 2);
  int details, seen;
  lua_createtable(L, (int)n, 0);
  details = lua_gettop(L);
  lua_newtable(L);
  seen = lua_gettop(L);
  for (i = 1; i <= n; i++) {
    lua_createtable(L, 0, 4);
    lua_rawgeti(L, 2, i);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "catalogURI");
    lua_pushvalue(L, -1);
    if (lua_rawget(L, seen) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_pushinteger(L, i);
      lua_rawset(L, seen);
    } else {
      lua_setfield(L, -3, "twin");
      lua_pop(L, 1);
    }
    lua_rawseti(L, details, i);
  }
  lua_pop(L, 1);
}

bool details_is_twin (lua_State *L, const struct operation *op, lua_Integer which) {
  bool twin;
  details_push_one(L, op, which);
  twin = lua_getfield(L, -1, "twin") != LUA_TNIL;
  lua_pop(L, 2);
  return twin;
}

bool details_is_loaded (lua_State *L, const struct operation *op, lua_Integer which) {
  bool loaded;
  details_push_one(L, op, which);
  loaded = lua_getfield(L, -1, "errorObject") == LUA_TNIL;
  lua_pop(L, 2);
  return loaded;
}

void details_push_first_error (lua_State *L, const struct operation *op) {
  lua_Integer which = 1;
  while (details_is_loaded(L, op, which))
    which++;
  details_push_one(L, op, which);
  lua_getfield(L, -1, "errorObject");
  lua_remove(L, -2);
}

void details_reset (lua_State *L, const struct operation *op, lua_Integer which) {
  static const char *const outcome[] = {"errorObject", "xhr",   "offlineReason", "result",
                                        "doubtful",    "entry", "validators",    "key"};
  size_t i;
  details_push_one(L, op, which);
  for (i = 0; i < sizeof outcome / sizeof *outcome; i++)
    details_clear(L, -1, outcome[i]);
  lua_pop(L, 1);
}

/* SUCCESS if every catalog is loaded; the result of the failures if they agree; else GENERAL_FAILURE. */
static enum result overall (lua_State *L, int details, lua_Integer *failed) {
  enum result sum = RESULT_SUCCESS;
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, details);
  *failed = 0;
  for (i = 1; i <= n; i++) {
    enum result one;
    lua_rawgeti(L, details, i);
    lua_getfield(L, -1, "result");
    one = (enum result)lua_tointeger(L, -1);
    lua_pop(L, 2);
    if (one == RESULT_SUCCESS || one == RESULT_CATALOG_ALREADY_LOADED) continue;
    sum = !*failed || sum == one ? one : RESULT_GENERAL_FAILURE;
    if (!*failed) *failed = i;
  }
  return sum;
}

/* Copies the outcome of its twin, in the array `details`, into the detail on top. */
static void copy_twin (lua_State *L, int details, lua_Integer twin) {
  static const char *const fields[] = {"xhr", "errorObject", "result", "offlineReason"};
  size_t i;
  lua_rawgeti(L, details, twin);
  for (i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, -1, fields[i]);
    lua_setfield(L, -3, fields[i]);
  }
  lua_getfield(L, -1, "result");
  if (lua_tointeger(L, -1) == RESULT_SUCCESS) {
    lua_pushvalue(L, -3);
    details_set_result(L, RESULT_CATALOG_ALREADY_LOADED);
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

/* Copies the outcome to repeated URIs, and removes internal fields: the user gets the details. */
static void tidy (lua_State *L, int details) {
  static const char *const serving[] = {"twin", "doubtful", "key", "entry", "validators", "text"};
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, details);
  size_t k;
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, details, i);
    lua_getfield(L, -1, "twin");
    if (lua_isinteger(L, -1)) {
      lua_Integer twin = lua_tointeger(L, -1);
      lua_pop(L, 1);
      copy_twin(L, details, twin);
    } else
      lua_pop(L, 1);
    for (k = 0; k < sizeof serving / sizeof *serving; k++)
      details_clear(L, -1, serving[k]);
    lua_pop(L, 1);
  }
}

/* Sets offlineReason of the info on top to that of the first catalog that has one. */
static void set_offline_reason (lua_State *L, int details) {
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, details);
  bool found = false;
  for (i = 1; i <= n && !found; i++) {
    lua_rawgeti(L, details, i);
    found = lua_getfield(L, -1, "offlineReason") != LUA_TNIL;
    lua_setfield(L, -3, "offlineReason");
    lua_pop(L, 1);
  }
}

/* Pushes info: { details, result, offlineReason }, and for a single catalog its fields, too. */
static void push_info (lua_State *L, int details, enum result sum) {
  static const char *const fields[] = {"catalogURI", "xhr", "errorObject", "result"};
  size_t i;
  lua_createtable(L, 0, 7);
  details_set_result(L, sum);
  lua_pushvalue(L, details);
  lua_setfield(L, -2, "details");
  set_offline_reason(L, details);
  if (lua_rawlen(L, details) != 1) return;
  lua_rawgeti(L, details, 1);
  for (i = 0; i < sizeof fields / sizeof *fields; i++) {
    lua_getfield(L, -1, fields[i]);
    lua_setfield(L, -3, fields[i]);
  }
  lua_pop(L, 1);
}

static void push_summary_error (lua_State *L, int details, lua_Integer first, enum result sum) {
  struct fault fault = {.kind = "catalog", .result = sum};
  lua_Integer n = (lua_Integer)lua_rawlen(L, details);
  lua_rawgeti(L, details, first);
  lua_getfield(L, -1, "errorObject");
  lua_remove(L, -2);
  if (n == 1) return;
  fault.message =
      lua_pushfstring(L, "addCatalog: not every catalog could be loaded; the first that failed: %s",
                      luaL_tolstring(L, -1, NULL));
  error_push(L, &fault);
  lua_replace(L, -4);
  lua_pop(L, 2);
}

void details_conclude (lua_State *L, struct operation *op) {
  lua_Integer failed;
  enum result sum;
  int details;
  operation_push(L, op);
  compat_getslot(L, -1, DETAILS_SLOT);
  details = lua_gettop(L);
  tidy(L, details);
  sum = overall(L, details, &failed);
  operation_push_session(L, op);
  session_note(L, -1);
  if (!failed) {
    error_push_result(L, sum);
    push_info(L, details, sum);
    operation_resolve(L, op);
    return;
  }
  push_summary_error(L, details, failed, sum);
  push_info(L, details, sum);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "errorObject");
  lua_setfield(L, -2, "info");
  operation_reject(L, op);
}

/* Turns the error on top into that of a call on an expired session. */
static void make_expired (lua_State *L, const struct session *s) {
  lua_pushliteral(L, "expired");
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, verdict_way_back(s));
  lua_setfield(L, -2, "hint");
  if (s->asks_tokens) return; /* the message is about the token */
  lua_getfield(L, -1, "httpStatus");
  lua_getfield(L, -2, "uri");
  lua_pushfstring(L, "addCatalog: HTTP %I from %s: the server no longer accepts the session",
                  (LUAI_UACINT)lua_tointeger(L, -2), lua_tostring(L, -1));
  lua_setfield(L, -4, "message");
  lua_pop(L, 2);
}

void details_blame_session (lua_State *L, const struct operation *op) {
  lua_Integer i, n;
  operation_push(L, op);
  compat_getslot(L, -1, DETAILS_SLOT);
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, -1, i);
    lua_getfield(L, -1, "doubtful");
    lua_getfield(L, -2, "errorObject");
    if (lua_toboolean(L, -2)) make_expired(L, op->session);
    lua_pop(L, 3);
  }
  lua_pop(L, 2);
}
