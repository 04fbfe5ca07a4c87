/*
** establish: the request that establishes a session or finds it again, and what that session adds to every
** other request.
*/
#include "net/ascii.h"
#include "net/form.h"
#include "protocol/btt/btt.h"
#include "runtime/duration.h"
#include "runtime/loop.h"
#include "runtime/options.h"
#include "session/protocol.h"

#include <stdio.h>
#include <string.h>

/* Arguments */

static void take_text (lua_State *L, struct btt *b, const char *name, struct text *into) {
  size_t length;
  const char *text = options_string(L, 2, name, &length);
  if (text && (!length || strpbrk(text, "\r\n") || strlen(text) < length))
    luaL_error(L, "option '%s': expected a string that is not empty, without line breaks or NUL bytes", name);
  if (text && !text_set(b->memory, into, (struct span){text, length})) luaL_error(L, "not enough memory");
  lua_pop(L, 1);
}

/* Leaves two values: whether to find an existing session, and the timeout in milliseconds or nil. */
static bool read_arguments (lua_State *L, struct btt *b) {
  static const char *const known[] = {"newSession", "tid", "sessionId", "serverId", "timeout", NULL};
  bool joins;
  double timeout;
  if (!lua_istable(L, 2)) {
    if (!lua_isnoneornil(L, 2) && !lua_isboolean(L, 2)) luaL_typeerror(L, 2, "a boolean or a table");
    joins = lua_isboolean(L, 2) && !lua_toboolean(L, 2);
    lua_pushnil(L);
    return joins;
  }
  options_check(L, 2, "establishSession", known);
  joins = !options_boolean(L, 2, "newSession", true);
  timeout = duration_option(L, 2, "timeout", 0, 0);
  take_text(L, b, "tid", &b->tid);
  take_text(L, b, "sessionId", &b->predefined);
  take_text(L, b, "serverId", &b->server_option);
  if (timeout > 0)
    lua_pushnumber(L, timeout * 1000);
  else
    lua_pushnil(L);
  return joins;
}

bool btt_can_find (const struct btt *b) {
  return b->tid.data || b->predefined.data || b->offered.data || (b->id.data && !b->inferred);
}

/*
** login([newSession]), login{ newSession =, tid =, sessionId =, serverId =, timeout = }: leaves user,
** password and options.
*/
void btt_check_login (lua_State *L, struct session *s) {
  struct btt *b = btt_of(s);
  bool joins;
  if (protocol_btt.refuses(s, true)) {
    lua_settop(L, 1);
    return;
  }
  joins = read_arguments(L, b);
  if (joins && !btt_can_find(b))
    luaL_error(L, "establishSession: to join an existing session, give the option 'tid' or 'sessionId'");
  b->joins = joins;
  lua_replace(L, 2);
  lua_settop(L, 2);
  lua_pushnil(L);
  lua_pushnil(L);
  if (!lua_isnil(L, 2)) {
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "iOSBasicAuthTimeout");
  } else
    lua_pushnil(L);
  lua_remove(L, 2);
}

/* Writes the request's body without Lua: it holds secrets, which are wiped with the exchange. */

struct field {
  const char *name;
  struct span value;
};
enum { ESTABLISH_FIELDS = 4 };

/* Lists the parameters in the order in which they are sent; returns their count. */
static size_t establish_fields (const struct btt *b, struct field fields[ESTABLISH_FIELDS]) {
  const struct text *id = b->id.data && !b->inferred ? &b->id
                          : b->offered.data          ? &b->offered
                                                     : &b->predefined;
  const struct text *server = b->server_id.data ? &b->server_id : &b->server_option;
  size_t n = 0;
  fields[n++] = (struct field){"createSession", {b->joins ? "false" : "true", b->joins ? 5 : 4}};
  if (b->tid.data) fields[n++] = (struct field){"TID", text_span(&b->tid)};
  if (!b->joins) return n;
  if (id->data) fields[n++] = (struct field){"sessionId", text_span(id)};
  if (server->data) fields[n++] = (struct field){"serverId", text_span(server)};
  return n;
}

static bool add (struct buffer *b, const char *text) {
  return buffer_add(b, text, strlen(text)) == BUFFER_OK;
}

static bool add_encoded (struct buffer *b, struct span s, size_t (*encode)(char *, struct span)) {
  char room[64 * ENCODED_MOST];
  bool ok = true;
  while (s.length && ok) {
    size_t part = s.length < 64 ? s.length : 64;
    ok = buffer_add(b, room, encode(room, (struct span){s.text, part})) == BUFFER_OK;
    s.text += part;
    s.length -= part;
  }
  memory_wipe(room, sizeof room);
  return ok;
}

static bool add_pair (struct buffer *b, const char *name, struct span value) {
  return (!b->length || add(b, "&")) && add(b, name) && add(b, "=") && add_encoded(b, value, form_encode);
}

static bool write_form (struct buffer *b, const struct btt *w, const struct field *fields, size_t n) {
  size_t i;
  (void)w;
  for (i = 0; i < n; i++)
    if (!add_pair(b, fields[i].name, fields[i].value)) return false;
  return true;
}

static bool write_json (struct buffer *b, const struct btt *w, const struct field *fields, size_t n) {
  size_t i;
  (void)w;
  for (i = 0; i < n; i++)
    if (!add(b, i ? ",\"" : "{\"") || !add(b, fields[i].name) || !add(b, "\":\"") ||
        !add_encoded(b, fields[i].value, json_escape) || !add(b, "\""))
      return false;
  return add(b, "}");
}

static bool begin_xml (struct buffer *b, const struct btt *w) {
  if (w->declares && !add(b, BTT_DECLARATION)) return false;
  if (w->dtds && !(add(b, BTT_DOCTYPE) && add(b, w->dtds) && add(b, BTT_SESSION_DTD "\">\n"))) return false;
  return add(b, "<requestMsg>");
}

static bool write_xml (struct buffer *b, const struct btt *w, const struct field *fields, size_t n) {
  const char *quote = w->quotes ? "\"" : "";
  size_t i;
  if (!begin_xml(b, w)) return false;
  for (i = 0; i < n; i++)
    if (!add(b, "<dse_") || !add(b, fields[i].name) || !add(b, ">") || !add(b, quote) ||
        !add_encoded(b, fields[i].value, xml_encode) || !add(b, quote) || !add(b, "</dse_") ||
        !add(b, fields[i].name) || !add(b, ">"))
      return false; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  return add(b, "</requestMsg>");
}

static const struct {
  const char *type;
  bool (*write)(struct buffer *, const struct btt *, const struct field *, size_t);
} formats[] = {[FORMAT_FORM] = {"application/x-www-form-urlencoded;charset=UTF-8", write_form},
               [FORMAT_JSON] = {"application/json;charset=UTF-8", write_json},
               [FORMAT_XML] = {"text/xml;charset=UTF-8", write_xml}};

/* Gives the exchange a header list of its own. */
static bool own_lines (struct exchange *x) {
  struct header_list *lines = header_list_copy(x->request.headers);
  if (!lines) return false;
  header_list_release(x->request.headers);
  x->request.headers = lines;
  return true;
}

static bool set_line (struct exchange *x, const char *name, struct span value) {
  return header_list_set(x->request.headers, name, strlen(name), value.text, value.length) !=
         HEADER_NO_MEMORY;
}

/* Arguments: the session (light userdata), the exchange (light userdata). Calls the user's function. */
static int encode_protected (lua_State *L) {
  const struct session *s = lua_touserdata(L, 1);
  struct exchange *x = lua_touserdata(L, 2);
  struct field fields[ESTABLISH_FIELDS];
  size_t n = establish_fields(btt_of(s), fields), i, length;
  const char *type = formats[btt_of(s)->format].type, *body;
  if (!btt_push_function(L, s, "encode")) return luaL_error(L, "the session is closed");
  lua_createtable(L, 0, ESTABLISH_FIELDS + 1);
  lua_pushliteral(L, "establish");
  lua_setfield(L, -2, "kind");
  for (i = 0; i < n; i++) {
    lua_pushlstring(L, fields[i].value.text, fields[i].value.length);
    lua_setfield(L, -2, fields[i].name);
  }
  lua_call(L, 1, 2);
  body = lua_tolstring(L, -2, &length);
  if (!body)
    return luaL_error(L, "format.encode: expected it to return a string, got %s", luaL_typename(L, -2));
  if (lua_isstring(L, -1)) type = lua_tostring(L, -1);
  if (!header_is_value(type, strlen(type)))
    return luaL_error(L, "format.encode: a content type holds no line breaks");
  if (buffer_add(&x->request.body, body, length) != BUFFER_OK ||
      !set_line(x, "Content-Type", (struct span){type, strlen(type)}))
    return luaL_error(L, "not enough memory"); /* GCOVR_EXCL_LINE: out of memory; never in the torture */
  return 0;
}

enum written { WRITTEN, WRITTEN_BADLY, WRITTEN_NO_MEMORY };

static enum written write_body (lua_State *L, const struct session *s, struct exchange *x) {
  struct field fields[ESTABLISH_FIELDS];
  const struct btt *b = btt_of(s);
  const char *type = formats[b->format].type;
  x->request.has_body = true;
  if (!own_lines(x)) return WRITTEN_NO_MEMORY;
  if (b->encodes) {
    lua_pushcfunction(L, encode_protected);
    lua_pushlightuserdata(L, (void *)s);
    lua_pushlightuserdata(L, x);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return WRITTEN;
    loop_report(L);
    return WRITTEN_BADLY;
  }
  return formats[b->format].write(&x->request.body, b, fields, establish_fields(b, fields)) &&
                 set_line(x, "Content-Type", (struct span){type, strlen(type)})
             ? WRITTEN
             : WRITTEN_NO_MEMORY;
}

/* Cookies */

static bool set_cookie_line (const struct btt *b, struct exchange *x) {
  struct buffer line;
  bool ok;
  if (!b->cookies.first) return true;
  buffer_init(&line, b->memory, SIZE_MAX);
  line.secret = true;
  ok = cookies_write(&b->cookies, &line) && own_lines(x) &&
       set_line(x, "Cookie", (struct span){line.data, line.length});
  buffer_wipe(&line);
  return ok;
}

/* Before a redirect within the origin: the next request carries the cookies that this response set. */
static bool hopping (struct exchange *x) {
  const struct operation *op = x->owner;
  struct btt *b = btt_of(op->session);
  const struct buffer *headers = &x->response.headers;
  if (cookies_sets(headers->data, headers->length, b->cookie)) x->tag |= BTT_SET_COOKIE;
  if (!b->keeps) return true;
  if (cookies_take(&b->cookies, headers->data, headers->length) == COOKIES_NO_MEMORY) return false;
  return set_cookie_line(b, x);
}

/* Puts the cookies of addCookie into libcurl's store. */
static bool lend_cookies (const struct session *s, struct cookie_jar *jar) {
  const struct btt *b = btt_of(s);
  const struct cookie *one;
  struct buffer line;
  char *host = NULL;
  bool ok = true;
  if (!b->cookies.first) return true;
  if (curl_url_get(uri_handle(s->service), CURLUPART_HOST, &host, 0)) return false;
  buffer_init(&line, b->memory, SIZE_MAX);
  line.secret = true;
  for (one = b->cookies.first; one && ok; one = one->next) {
    buffer_clear(&line);
    ok = add(&line, host) && add(&line, "\tFALSE\t/\tFALSE\t0\t") &&
         buffer_add(&line, one->text, one->name_length) == BUFFER_OK && add(&line, "\t") &&
         add(&line, one->text + one->name_length);
    if (ok) cookie_jar_import(jar, host, line.data);
  }
  buffer_wipe(&line);
  curl_free(host);
  return ok;
}

bool btt_carry_cookies (struct session *s, struct exchange *x) {
  struct btt *b = btt_of(s);
  x->hopping = hopping;
  x->tag |= (size_t)s->epoch * BTT_EPOCH;
  if (!b->keeps) return true;
  cookie_jar_release(x->request.jar);
  x->request.jar = NULL;
  return set_cookie_line(b, x);
}

/* Lines of other requests */

/* A body without a content type is sent as a form. */
static bool is_form (const struct exchange *x) {
  const char *type = header_list_value(x->request.headers, "Content-Type");
  const struct buffer *body = &x->request.body;
  if (!x->request.has_body) return false;
  if (type) return ascii_same_start(type, FORM_TYPE, sizeof FORM_TYPE - 1);
  return !strcmp(x->request.method, "POST") && body->length && !strchr("<{[", body->data[0]) &&
         memchr(body->data, '=', body->length);
}

static bool add_missing (struct buffer *body, const char *name, struct span value) {
  if (form_has((struct span){body->data, body->length}, name)) return true;
  return add_pair(body, name, value);
}

/* Adds the hidden fields of the last page and the fields that every page's form has. */
static bool add_page (const struct btt *b, struct buffer *body) {
  static const struct span none = {"", 0}, no_application = {"-1", 2};
  int i;
  for (i = 0; i < PAGE_FIELDS; i++) {
    bool known = b->page[i].data != NULL;
    struct span value = known ? text_span(&b->page[i]) : i == PAGE_APPLICATION ? no_application : none;
    bool always = i == PAGE_PARENT || (i == PAGE_APPLICATION && b->page[PAGE_ID].data);
    if ((known || always) && !add_missing(body, btt_page_names[i], value)) return false;
  }
  return true;
}

static bool name_form (struct exchange *x) {
  if (header_list_has(x->request.headers, "Content-Type")) return true;
  return own_lines(x) && set_line(x, "Content-Type", (struct span){FORM_TYPE, sizeof FORM_TYPE - 1});
}

static bool add_to_form (const struct btt *b, struct exchange *x) {
  static const char own[] = "dse_sessionId";
  struct buffer *body = &x->request.body;
  bool paged = b->page[PAGE_ID].data != NULL;
  if (b->by_parameter && !add_missing(body, b->parameter, text_span(&b->id))) return false;
  if ((b->by_parameter || paged) && !add_missing(body, own, text_span(&b->id))) return false;
  return add_page(b, body);
}

static bool add_to_query (const struct btt *b, struct exchange *x) {
  const char *text = uri_text(x->request.uri), *query = strchr(text, '?'), *why;
  struct uri *made = NULL;
  struct buffer all;
  if (query && form_has((struct span){query + 1, strlen(query + 1)}, b->parameter)) return true;
  buffer_init(&all, b->memory, SIZE_MAX);
  all.secret = true;
  if (add(&all, text) && add(&all, query ? (query[1] ? "&" : "") : "?") &&
      add_encoded(&all, (struct span){b->parameter, strlen(b->parameter)}, form_encode) && add(&all, "=") &&
      add_encoded(&all, text_span(&b->id), form_encode))
    made = uri_parse(b->memory, all.data, all.length, &why);
  buffer_wipe(&all);
  if (!made) return false;
  uri_release(x->request.uri);
  x->request.uri = made;
  return true;
}

bool btt_carry (struct session *s, struct exchange *x) {
  const struct btt *b = btt_of(s);
  if (!btt_carry_cookies(s, x)) return false;
  if (!uri_within(s->service, x->request.uri) || !b->id.data || b->inferred) return true;
  if (is_form(x)) return name_form(x) && add_to_form(b, x);
  return !b->by_parameter || add_to_query(b, x);
}

/* Sending */

/* Rejects: the user's function could not write the request. */
static void not_written (lua_State *L, struct operation *op, struct exchange *x) {
  struct finding found;
  (void)x;
  memset(&found, 0, sizeof found);
  found.purpose = PURPOSE_LOGIN;
  found.verdict = VERDICT_BROKEN;
  found.fault.kind = "error";
  found.fault.result = RESULT_GENERAL_FAILURE;
  found.fault.uri = op->session->service;
  verdict_say(&found, "the function encode of the option format failed");
  btt_of(op->session)->tried = true;
  verdict_conclude(L, op, NULL, &found, RESULT_SUCCESS);
}

static bool ask (lua_State *L, struct operation *op, operation_step step) {
  struct session *s = op->session;
  struct exchange *x = session_exchange(L, s, "POST", uri_append(s->service, btt_of(s)->establish_path));
  if (!x) return false;
  switch (write_body(L, s, x)) {
  case WRITTEN:
    if (btt_carry_cookies(s, x) && (btt_of(s)->keeps || lend_cookies(s, x->request.jar)))
      return operation_send(L, op, x, step);
    break; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  case WRITTEN_BADLY:
    exchange_free(x);
    operation_defer(L, op, not_written);
    return true;
  case WRITTEN_NO_MEMORY: break;
  }
  exchange_free(x);
  return false;
}

/* The offered id is tried once. */
static void established (lua_State *L, struct operation *op, struct exchange *x) {
  struct btt *b = btt_of(op->session);
  struct finding found;
  verdict_judge(L, op, x, PURPOSE_LOGIN, &found);
  b->tried = true;
  text_wipe(b->memory, &b->offered);
  verdict_conclude(L, op, x, &found, RESULT_SUCCESS);
}

bool btt_login (lua_State *L, struct operation *op, const struct credentials *as) {
  (void)as;
  return ask(L, op, established);
}

bool btt_reestablish (lua_State *L, struct operation *op, unsigned attempt) {
  const struct session *s = op->session;
  struct btt *b = btt_of(s);
  bool lost = s->phase == PHASE_EXPIRED && !b->offered.data;
  b->joins = attempt == 1 && !lost && btt_can_find(b);
  return ask(L, op, established);
}

bool btt_find_again (lua_State *L, struct operation *op, operation_step step) {
  btt_of(op->session)->joins = true;
  return ask(L, op, step);
}
