#include "runtime/transport_options.h"

#include "net/system.h"
#include "runtime/duration.h"
#include "runtime/options.h"

#include <stddef.h>
#include <string.h>

struct text_option {
  const char *name;
  size_t field;
};

static const struct text_option texts[] = {{"caFile", offsetof(struct transport, ca_file)},
                                           {"caPath", offsetof(struct transport, ca_path)},
                                           {"crlFile", offsetof(struct transport, crl_file)},
                                           {"pinnedPublicKey", offsetof(struct transport, pinned_key)},
                                           {"clientCertificate", offsetof(struct transport, cert_file)},
                                           {"clientKey", offsetof(struct transport, key_file)},
                                           {"clientKeyPassword", offsetof(struct transport, key_password)},
                                           {"userAgent", offsetof(struct transport, user_agent)}};

static const char *const others[] = {"connectTimeout",  "timeout",      "stallTimeout",
                                     "maxResponseSize", "maxRedirects", "insecure",
                                     "proxy",           "http2",        NULL};

static bool is_set (lua_State *L, int index, const char *name) {
  bool set = lua_getfield(L, index, name) != LUA_TNIL;
  lua_pop(L, 1);
  return set;
}

static bool wants_own (lua_State *L, int index) {
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++)
    if (is_set(L, index, texts[i].name)) return true;
  for (i = 0; others[i]; i++)
    if (is_set(L, index, others[i])) return true;
  return false;
}

/* Reads a text that libcurl gets as a C string. */
static const char *check_text (lua_State *L, int index, const char *name) {
  size_t length;
  const char *text = options_string(L, index, name, &length);
  if (text && strlen(text) != length) luaL_error(L, "option '%s': expected a string without NUL bytes", name);
  if (text && !strcmp(name, "userAgent") && !header_is_value(text, length))
    luaL_error(L, "option 'userAgent': expected a string without line breaks");
  return text;
}

/*
** True for a valid pin. libcurl takes any other text for the name of a file, and would then refuse every
** server.
*/
static bool is_pin (const char *text) {
  static const char start[] = "sha256//";
  enum { START = sizeof start - 1, DIGEST = 44 };
  if (strncmp(text, "sha256", 6) != 0) return true;
  while (!strncmp(text, start, START) && strcspn(text + START, ";") == DIGEST) {
    text += START + DIGEST;
    if (!*text++) return true;
  }
  return false;
}

static void check_pin (lua_State *L, int index) {
  const char *text = options_string(L, index, "pinnedPublicKey", NULL);
  if (text && !is_pin(text))
    luaL_error(L, "option 'pinnedPublicKey': expected \"sha256//\" and 44 characters of base64, "
                  "several of these separated by ';', or a file");
  lua_pop(L, 1);
}

static void check_proxy (lua_State *L, int index) {
  int type = lua_getfield(L, index, "proxy");
  bool text = type == LUA_TSTRING && lua_rawlen(L, -1) > 0;
  if (type != LUA_TNIL && !text && !(type == LUA_TBOOLEAN && !lua_toboolean(L, -1)))
    luaL_error(L, "option 'proxy': expected a proxy's URI, or false to use none");
  lua_pop(L, 1);
  if (text) {
    check_text(L, index, "proxy");
    lua_pop(L, 1);
  }
}

/* Numbers that are not set are negative. */
struct limits {
  double connect_timeout, timeout, stall_timeout, max_response, max_redirects;
  bool insecure;
  int http2;
};

static int read_http2 (lua_State *L, int index) {
  if (!is_set(L, index, "http2")) return HTTP2_DEFAULT;
  return options_boolean(L, index, "http2", true) ? HTTP2_YES : HTTP2_NO;
}

/* Reads all options that can raise, before anything is acquired. */
static void read_limits (lua_State *L, int index, struct limits *given) {
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    check_text(L, index, texts[i].name);
    lua_pop(L, 1);
  }
  check_pin(L, index);
  check_proxy(L, index);
  given->connect_timeout = duration_option(L, index, "connectTimeout", 0.001, -1);
  given->timeout = duration_option(L, index, "timeout", 0, -1);
  given->stall_timeout = duration_option(L, index, "stallTimeout", 0, -1);
  given->max_response = options_number(L, index, "maxResponseSize", 1, -1);
  given->max_redirects = options_number(L, index, "maxRedirects", 0, -1);
  given->insecure = options_boolean(L, index, "insecure", false);
  given->http2 = read_http2(L, index);
}

static void set_limits (struct transport *t, const struct limits *given) {
  if (given->connect_timeout > 0) t->connect_timeout = given->connect_timeout;
  if (given->timeout >= 0) t->timeout = given->timeout;
  if (given->stall_timeout >= 0) t->stall_timeout = given->stall_timeout;
  if (given->max_response > 0) t->max_response = (size_t)given->max_response;
  if (given->max_redirects >= 0)
    t->max_redirects = given->max_redirects < 1000 ? (int)given->max_redirects : 1000;
  t->insecure = given->insecure;
  t->http2 = given->http2;
}

/* Under pcall. Arguments: the transport (light userdata), the options. Returns false when memory runs out. */
static int fill_texts (lua_State *L) {
  struct transport *t = lua_touserdata(L, 1);
  bool ok = true;
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    lua_getfield(L, 2, texts[i].name);
    if (lua_type(L, -1) == LUA_TSTRING)
      ok = transport_set(t, (char **)(void *)((char *)t + texts[i].field), lua_tostring(L, -1)) && ok;
    lua_pop(L, 1);
  }
  lua_getfield(L, 2, "proxy");
  t->no_proxy = lua_isboolean(L, -1);
  if (lua_type(L, -1) == LUA_TSTRING) ok = transport_set(t, &t->proxy, lua_tostring(L, -1)) && ok;
  lua_pushboolean(L, ok);
  return 1;
}

/* True for a file of many certificates: one has two kilobytes, the system's file two hundred. */
static bool is_large (const char *file) {
  enum { LARGE = 32 * 1024 };
  struct stat is;
  return file && system_stat(file, &is) == 0 && is.st_size > LARGE;
}

static bool filled (lua_State *L, int index, struct transport *t) {
  bool ok;
  lua_pushcfunction(L, fill_texts);
  lua_pushlightuserdata(L, t);
  lua_pushvalue(L, index);
  ok = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return ok;
}

static struct transport *defaults (lua_State *L, struct loop *loop) {
  if (!loop->transport) loop->transport = transport_new(&loop->memory);
  if (!loop->transport) luaL_error(L, "not enough memory");
  return transport_keep(loop->transport);
}

/* Sessions with equal options share one transport. One with a password is not kept for later sessions. */
static struct transport *share (struct loop *loop, struct transport *t) {
  if (loop->options && transport_same(loop->options, t)) {
    transport_release(t);
    return transport_keep(loop->options);
  }
  if (t->proxy || t->key_password) return t;
  transport_release(loop->options);
  loop->options = transport_keep(t);
  return t;
}

struct transport *transport_from_options (lua_State *L, struct loop *loop, int index) {
  struct limits given;
  struct transport *t;
  if (!wants_own(L, index)) return defaults(L, loop);
  read_limits(L, index, &given);
  t = transport_new(&loop->memory);
  if (!t || !filled(L, index, t) || !transport_number_key(t, &loop->keys)) {
    transport_release(t);
    luaL_error(L, "not enough memory");
    return NULL; /* GCOVR_EXCL_LINE: luaL_error does not return */
  }
  set_limits(t, &given);
  t->ca_large = is_large(t->ca_file);
  return share(loop, t);
}
