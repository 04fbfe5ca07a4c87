/*
** addCatalog, for one URI or several. Each URI has a detail (details.h). C fetches the text of a catalog and
** keeps the outcome; the Lua layer reads the text.
*/
#include "catalog/load.h"

#include "catalog/arguments.h"
#include "catalog/details.h"
#include "catalog/order.h"
#include "catalog/revalidate.h"
#include "catalog/scan.h"
#include "catalog/uri_cache.h"
#include "runtime/copy.h"
#include "runtime/loop.h"
#include "runtime/response.h"
#include "session/active_session.h"
#include "session/exchange.h"
#include "session/hooks.h"
#include "session/log.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/verbs.h"
#include "session/verdict.h"

#include <string.h>

/* Bits of op->stage: what the failed catalogs mean for the session, and whether texts wait to be read. */
enum {
  STAGE_DOUBTFUL = 1 /* a check must tell whether the session or the catalog was refused */,
  STAGE_UNREACHABLE = 2,
  STAGE_TEXTS = 4
};

/* Pushes the session's table of catalogs, which the first call makes. */
static void push_catalogs (lua_State *L, const struct operation *op) {
  operation_push_session(L, op);
  if (session_getvalue(L, -1, SESSION_CATALOGS) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    session_setvalue(L, -3, SESSION_CATALOGS);
  }
  lua_remove(L, -2);
}

/* Logs what was left out of the catalog: the message on top, popped, or nil. The detail is below it. */
static void log_remark (lua_State *L, const struct operation *op) {
  struct finding found = {.fault = {.kind = "catalog"}};
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_getfield(L, -2, "catalogURI");
  found.fault.message = lua_pushfstring(L, "addCatalog: %s: %s", lua_tostring(L, -1), lua_tostring(L, -2));
  operation_push_session(L, op);
  log_session(L, lua_gettop(L), "warning", "catalogLeftOut", &found);
  lua_pop(L, 4);
}

/*
** Adds a catalog to the session by the hook catalogAdd(catalogs, uri, text or entry, serviceURI, validators,
** key). Its text or its entry, and its validators or nil, are on top, popped; its detail is below them.
*/
static void add_source (lua_State *L, const struct operation *op, const struct exchange *x) {
  int detail = lua_gettop(L) - 2;
  loop_hook(L, "catalogAdd");
  push_catalogs(L, op);
  lua_getfield(L, detail, "catalogURI");
  lua_pushvalue(L, detail + 1);
  operation_push_session(L, op);
  session_getvalue(L, -1, SESSION_URI);
  lua_remove(L, -2);
  lua_pushvalue(L, detail + 2);
  lua_getfield(L, detail, "key");
  lua_call(L, 6, 2);
  lua_replace(L, detail + 2);
  lua_replace(L, detail + 1);
  if (lua_isnil(L, detail + 1)) {
    lua_remove(L, detail + 1);
    details_set_error(L, x);
    return;
  }
  lua_insert(L, detail + 1);
  lua_setfield(L, detail, "result");
  log_remark(L, op);
}

/* A hint for a URI without a scheme, which may be meant as a file's name. The detail is on top. */
static const char *hint_missing (lua_State *L, const struct finding *found) {
  const char *given;
  lua_getfield(L, -1, "catalogURI");
  given = lua_tostring(L, -1);
  lua_pop(L, 1);
  if (found->fault.status != 404 || strstr(given, "://")) return found->fault.hint;
  return "the catalog is neither a file nor found below serviceURI";
}

/* The detail is on top. */
static void note_loss (lua_State *L, struct operation *op, const struct finding *found) {
  if (found->apart) return;
  if (found->verdict == VERDICT_EXPIRED) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "doubtful");
    op->stage |= STAGE_DOUBTFUL;
  } else if (found->verdict == VERDICT_UNREACHABLE) {
    op->stage |= STAGE_UNREACHABLE;
    verdict_apply(L, op, found);
  }
}

/* Ends `op` by the details, unless it is sent again for what could not be loaded. */
static void conclude (lua_State *L, struct operation *op) {
  if (op->retry && retry_is_due(op)) {
    details_push_first_error(L, op);
    retry_wait(L, op);
  } else
    details_conclude(L, op);
}

/* The detail is on top. */
static void add_failure (lua_State *L, struct operation *op, struct finding *found) {
  found->fault.hint = hint_missing(L, found);
  verdict_push_error(L, NULL, found);
  lua_setfield(L, -2, "errorObject");
  if (found->reason && found->verdict == VERDICT_UNREACHABLE && !found->apart) {
    lua_pushstring(L, found->reason);
    lua_setfield(L, -2, "offlineReason");
  }
  details_set_result(L, found->fault.result);
  note_loss(L, op, found);
}

/*
** Pushes the body. True if the Lua layer has the same text already: then pushes that string. The hook
** catalogTexts(length) gives the known texts of that length.
*/
static bool push_text (lua_State *L, const struct exchange *x) {
  const struct buffer *body = &x->response.body;
  bool known;
  const char *data = body->data ? body->data : "";
  int top = lua_gettop(L), i;
  loop_hook(L, "catalogTexts");
  lua_pushinteger(L, (lua_Integer)body->length);
  lua_call(L, 1, LUA_MULTRET);
  for (i = top + 1; i <= lua_gettop(L); i++)
    if (!memcmp(data, lua_tostring(L, i), body->length)) break;
  known = i <= lua_gettop(L);
  if (known)
    lua_pushvalue(L, i);
  else
    lua_pushlstring(L, data, body->length);
  lua_insert(L, top + 1);
  lua_settop(L, top + 1);
  return known;
}

/* True if the text is new and takes long to read. Errors name the catalog's own URI. */
static bool is_long (const struct exchange *x, bool known) {
  enum { LONG_TEXT = 64 * 1024 };
  return !known && x->response.body.length > LONG_TEXT && !x->response.redirects;
}

/* Adds the body, or keeps a long one to be read when all responses are in. The detail is on top. */
static void add_body (lua_State *L, struct operation *op, struct exchange *x) {
  bool by = is_long(x, push_text(L, x));
  buffer_cleanup(&x->response.body);
  response_push_with(L, x);
  lua_setfield(L, -3, "xhr");
  revalidate_push_validators(L, x);
  if (!revalidate_reusable(x)) details_clear(L, -3, "key");
  if (!by) {
    add_source(L, op, x);
    return;
  }
  lua_setfield(L, -3, "validators");
  lua_setfield(L, -2, "text");
  details_clear(L, -1, "entry"); /* the catalog that was to be revalidated is out of date */
  op->stage |= STAGE_TEXTS;
}

/* Adds a catalog that was kept for later: its entry if there is one, else its text. The detail is on top. */
static void add_text (lua_State *L, struct operation *op) {
  int detail = lua_gettop(L);
  const char *why;
  struct exchange x;
  lua_getfield(L, detail, "catalogURI");
  memset(&x, 0, sizeof x);
  x.response.uri = uri_cache_push(L, op->session, -1, &why);
  x.response.status = 200;
  if (lua_getfield(L, detail, "entry") == LUA_TNIL) lua_getfield(L, detail, "text");
  lua_pushvalue(L, detail);
  lua_insert(L, -2);
  lua_getfield(L, detail, "validators");
  add_source(L, op, x.response.uri ? &x : NULL);
  lua_settop(L, detail);
  details_clear(L, detail, "text"); /* after a reconnect, others may be kept for later */
}

static void add_texts (lua_State *L, struct operation *op) {
  lua_Integer i, n;
  int top = lua_gettop(L);
  operation_push(L, op);
  compat_getslot(L, -1, DETAILS_SLOT);
  n = (lua_Integer)lua_rawlen(L, -1);
  for (i = 1; i <= n; i++) {
    lua_rawgeti(L, top + 2, i);
    if (lua_getfield(L, -1, "text") == LUA_TNIL)
      lua_pop(L, 1);
    else {
      lua_pop(L, 1);
      add_text(L, op);
    }
    lua_settop(L, top + 2);
  }
  lua_settop(L, top);
  op->stage &= ~(unsigned)STAGE_TEXTS;
}

/*
** Adds the known catalog after a 304. The user sees the same as after a 200. The detail is on top. False: the
** 304 does not fit the request.
*/
static bool add_known (lua_State *L, struct operation *op, struct exchange *x) {
  lua_getfield(L, -1, "entry");
  lua_getfield(L, -2, "validators");
  if (lua_isnil(L, -2) || !revalidate_confirms(L, x)) {
    lua_pop(L, 2);
    return false;
  }
  x->response.status = 200;
  lua_getfield(L, -2, "text");
  response_push_with(L, x);
  lua_setfield(L, -5, "xhr");
  lua_pop(L, 1);
  add_source(L, op, x);
  return true;
}

static bool fetch (lua_State *L, struct operation *op, int reference, lua_Integer which, bool unconditional);

/* Sends the request again without validators, after a 304 that does not fit. The detail is on top. */
static bool ask_again (lua_State *L, struct operation *op, const struct exchange *x) {
  bool asked = lua_getfield(L, -1, "entry") != LUA_TNIL;
  lua_pop(L, 1);
  if (!asked) return false;
  details_clear(L, -1, "entry");
  lua_getfield(L, -1, "catalogURI");
  operation_must(L, op, fetch(L, op, lua_gettop(L), (lua_Integer)x->tag, true));
  lua_pop(L, 1);
  return true;
}

/* Handles a good response. The detail is on top. */
static void add_good_answer (lua_State *L, struct operation *op, struct exchange *x) {
  long status = x->response.status;
  if (status == 200) {
    add_body(L, op, x);
    return;
  }
  if (status == 304 && (add_known(L, op, x) || ask_again(L, op, x))) return;
  response_push(L, x);
  lua_setfield(L, -2, "xhr");
  lua_pushfstring(L, "the server answered HTTP %d instead of the catalog", (int)status);
  details_set_error(L, x);
}

static void add_answer (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CATALOG, &found);
  details_push_one(L, op, (lua_Integer)x->tag);
  if (found.verdict == VERDICT_ALIVE) {
    verdict_apply(L, op, &found);
    add_good_answer(L, op, x);
  } else {
    if (op->retry) retry_decide(op, x, &found);
    response_push(L, x);
    lua_setfield(L, -2, "xhr");
    add_failure(L, op, &found);
  }
  lua_pop(L, 1);
}

/* The session is lost: ends `op`, unless a reconnect will repeat it. */
static void end_by_loss (lua_State *L, struct operation *op, const struct exchange *x,
                         struct finding *found) {
  op->repeatable = true;
  if (reconnect_takes(L, op, x, found)) return;
  if (found->verdict == VERDICT_EXPIRED && op->session->phase == PHASE_EXPIRED) details_blame_session(L, op);
  conclude(L, op);
}

/* The check after a catalog was refused has answered: it tells whether the session has expired. */
static void session_checked (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_CHECK, &found);
  verdict_apply(L, op, &found);
  end_by_loss(L, op, x, &found);
}

/* All responses are in, and some show that the session is lost, or may be. */
static void look_at_session (lua_State *L, struct operation *op, const struct exchange *x) {
  struct session *s = op->session;
  struct finding found;
  if (!(op->stage & STAGE_UNREACHABLE) && op->epoch == s->epoch && s->phase == PHASE_AUTHORIZED) {
    operation_must(L, op, s->protocol->check(L, op));
    op->step = session_checked;
    return;
  }
  memset(&found, 0, sizeof found);
  found.purpose = PURPOSE_CATALOG;
  found.verdict = op->stage & STAGE_UNREACHABLE ? VERDICT_UNREACHABLE : VERDICT_EXPIRED;
  end_by_loss(L, op, x, &found);
}

static void prepared (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  add_texts(L, op);
  conclude(L, op);
}

/* Prepares the kept texts in slices; the step's time limit may interrupt between them. */
static void prepare_texts (lua_State *L, struct operation *op) {
  loop_hook(L, "catalogPrepare");
  operation_push(L, op);
  compat_getslot(L, -1, DETAILS_SLOT);
  lua_remove(L, -2);
  operation_call(L, op, 1, prepared);
}

static void answered (lua_State *L, struct operation *op, struct exchange *x) {
  add_answer(L, op, x);
  if (op->exchanges) return;
  if (op->stage == STAGE_TEXTS) {
    prepare_texts(L, op);
    return;
  }
  if (op->stage & STAGE_TEXTS) add_texts(L, op);
  if (op->stage)
    look_at_session(L, op, x);
  else
    conclude(L, op);
}

static void deferred (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  details_conclude(L, op);
}

/*
** True if the entry at 5 is larger than the session's limit. Then the catalog is fetched, so that it fails as
** usual.
*/
static bool is_too_big (lua_State *L, const struct session *s) {
  bool big;
  lua_getfield(L, 5, "text");
  big = lua_rawlen(L, -1) > s->transport->max_response;
  lua_pop(L, 1);
  return big;
}

/*
** Arguments: the operation, the URI (light userdata), the number of the catalog. Returns the validators to
** send, an entity tag and a date, each may be nil. The hook catalogAnswer(key) gives entry and validators, or
** nil.
*/
static int find_known (lua_State *L) {
  const struct operation *op = lua_touserdata(L, 1);
  const struct uri *uri = lua_touserdata(L, 2);
  details_push_one(L, op, lua_tointeger(L, 3));
  revalidate_push_key(L, op, uri);
  if (lua_isnil(L, 5)) return 0;
  lua_pushvalue(L, 5);
  lua_setfield(L, 4, "key");
  loop_hook(L, "catalogAnswer");
  lua_insert(L, 5);
  lua_call(L, 1, 2);
  if (lua_isnil(L, 5) || is_too_big(L, op->session)) return 0;
  lua_pushvalue(L, 5);
  lua_setfield(L, 4, "entry");
  lua_pushvalue(L, 6);
  lua_setfield(L, 4, "validators");
  lua_getfield(L, 6, "etag");
  lua_getfield(L, 6, "lastModified");
  return 2;
}

/* Leaves two values on the stack. */
static void push_known (lua_State *L, const struct operation *op, struct uri *uri, lua_Integer which) {
  lua_pushcfunction(L, find_known);
  lua_pushlightuserdata(L, (void *)op);
  lua_pushlightuserdata(L, uri);
  lua_pushinteger(L, which);
  lua_call(L, 3, 2);
}

/* The two validators are on top. */
static struct exchange *describe (lua_State *L, const struct operation *op, struct uri *uri,
                                  lua_Integer which) {
  struct exchange *x;
  if (op->apart)
    x = session_exchange_as(op->session, op->apart, "GET", uri_keep(uri));
  else
    x = session_exchange(L, op->session, "GET", uri_keep(uri));
  if (!x) return NULL;
  x->tag = (size_t)which;
  if (revalidate_ask(x, lua_tostring(L, -2), lua_tostring(L, -1))) return x;
  exchange_free(x);
  return NULL;
}

/* Requests the catalog whose URI is at `reference`. `unconditional`: without validators. */
static bool fetch (lua_State *L, struct operation *op, int reference, lua_Integer which, bool unconditional) {
  const char *why = "";
  int top = lua_gettop(L);
  struct uri *uri = uri_cache_push(L, op->session, reference, &why);
  bool ok = true;
  if (!uri) {
    details_push_one(L, op, which);
    lua_pushfstring(L, "the URI %s", why);
    details_set_error(L, NULL);
  } else {
    if (unconditional)
      lua_settop(L, top + 3);
    else
      push_known(L, op, uri, which);
    ok = operation_send(L, op, describe(L, op, uri, which), answered);
  }
  lua_settop(L, top);
  return ok;
}

/*
** Loads a local catalog, or requests a remote one. The hook catalogLocate(catalogs, uri) gives "loaded"; or
** "file" and its text, or nil and a message; or "uri".
*/
static bool load_one (lua_State *L, struct operation *op, lua_Integer which, int uri) {
  const char *where;
  bool ok = true;
  int top = lua_gettop(L);
  loop_hook(L, "catalogLocate");
  push_catalogs(L, op);
  lua_pushvalue(L, uri);
  lua_call(L, 2, 3);
  where = lua_tostring(L, top + 1);
  if (where && *where == 'u')
    ok = fetch(L, op, uri, which, false);
  else {
    details_push_one(L, op, which);
    if (where && *where == 'l')
      details_set_result(L, RESULT_CATALOG_ALREADY_LOADED);
    else if (lua_isstring(L, top + 2)) {
      lua_pushvalue(L, top + 2);
      lua_pushnil(L);
      add_source(L, op, NULL);
    } else {
      lua_pushvalue(L, top + 3);
      details_set_error(L, NULL);
    }
  }
  lua_settop(L, top);
  return ok;
}

/*
** Arguments: the operation (light userdata), the URIs. Loads local catalogs and requests the others. After a
** reconnect, takes only those that are not loaded yet.
*/
static int load_all (lua_State *L) {
  struct operation *op = lua_touserdata(L, 1);
  lua_Integer i, n = (lua_Integer)lua_rawlen(L, 2);
  bool ok = true, again;
  operation_push(L, op);
  again = compat_getslot(L, 3, DETAILS_SLOT) == LUA_TTABLE;
  lua_pop(L, 1);
  op->stage = 0;
  if (!again) {
    details_push(L);
    compat_setslot(L, 3, DETAILS_SLOT);
  }
  for (i = 1; i <= n && ok; i++) {
    if (details_is_twin(L, op, i) || (again && details_is_loaded(L, op, i))) continue;
    if (again) details_reset(L, op, i);
    lua_rawgeti(L, 2, i);
    ok = load_one(L, op, i, 4);
    lua_settop(L, 3);
  }
  if (!ok) return luaL_error(L, "not enough memory");
  if (!op->exchanges) operation_defer(L, op, deferred);
  return 0;
}

/* Requests all catalogs. An early response cannot end the operation before the last request is sent. */
static bool load (lua_State *L, struct operation *op) {
  bool ok;
  lua_pushcfunction(L, load_all);
  lua_pushlightuserdata(L, op);
  operation_push(L, op);
  compat_getslot(L, -1, OPERATION_ARGUMENTS);
  lua_remove(L, -2);
  op->loop->busy++;
  ok = lua_pcall(L, 2, 0, 0) == LUA_OK;
  op->loop->busy--;
  return ok || lua_error(L);
}

static int begin_loading (lua_State *L) {
  reconnect_begin(L, lua_touserdata(L, 1), load);
  return 0;
}

static int add_catalog (lua_State *L) {
  struct session *s = session_check(L, 1);
  struct operation *op;
  const char *refused;
  double limit;
  int promise;
  if (!s->protocol->catalogs)
    return luaL_error(L, "addCatalog: protocol %s has no catalogs", s->protocol->name);
  session_touch(s);
  limit = arguments_check(L, s);
  op = operation_new(L, 1, "addCatalog");
  op->limit = limit;
  operation_must(L, op, arguments_take_identity(L, s, op));
  if (session_refuses(L, op)) return 1;
  refused = arguments_refusal(L, op);
  if (refused) {
    operation_refuse(L, op, "auth", RESULT_GENERAL_FAILURE, refused);
    return 1;
  }
  promise = lua_gettop(L);
  lua_pushvalue(L, ARGUMENTS_URIS);
  compat_setslot(L, promise, OPERATION_ARGUMENTS);
  lua_pushcfunction(L, begin_loading);
  lua_pushlightuserdata(L, op);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    operation_discard(L, op);
    return lua_error(L);
  }
  lua_settop(L, promise);
  return 1;
}

void catalog_load_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"scanCatalog", catalog_scan},
                                       {"catalogScanner", catalog_scanner},
                                       {"copyTree", copy_tree},
                                       {"catalogOrder", catalog_order},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_getfield(L, -1, "methods");
  lua_pushcfunction(L, add_catalog);
  lua_setfield(L, -2, "addCatalog");
  lua_pop(L, 1);
}
