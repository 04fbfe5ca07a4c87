#include "floor.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const paths[PAGES] = {"/static/auth/j_spring_security_check", "/static/home.html",
                                         "/static/catalog.json", "/rest/_oepingService/_oeping",
                                         "/static/auth/j_spring_security_logout"};

static const char pong[] = "{\"response\":{\"_retVal\":\"\"}}";
static const char credentials[] = "j_username=lua&j_password=secret&submit=Submit";

void floor_die (const char *what, const char *why) {
  fprintf(stderr, "floor: %s: %s\n", what, why);
  exit(1);
}

static void check (CURLcode code) {
  if (code) floor_die("libcurl", curl_easy_strerror(code));
}

static size_t on_body (char *data, size_t size, size_t count, void *ud) {
  struct client *c = ud;
  (void)size; /* always 1 */
  if (count > sizeof c->body - c->length) return 0;
  memcpy(c->body + c->length, data, count);
  c->length += count;
  return count;
}

static struct curl_slist *lines (const char *cache, const char *type) {
  struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
  list = curl_slist_append(list, cache);
  list = curl_slist_append(list, "Pragma: no-cache");
  if (type) list = curl_slist_append(list, type);
  return list;
}

static void parse_uris (struct floor *f, const char *service) {
  char text[1024];
  for (int i = 0; i < PAGES; i++) {
    snprintf(text, sizeof text, "%s%s", service, paths[i]);
    f->uris[i] = curl_url();
    if (curl_url_set(f->uris[i], CURLUPART_URL, text, 0)) floor_die("not a URI", text);
  }
}

static lua_State *load_decoder (void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require('cjson').decode")) floor_die("lua-cjson", lua_tostring(L, -1));
  return L;
}

void floor_open (struct floor *f, const char *service, const char *agent) {
  f->usual = lines("Cache-Control: no-cache", NULL);
  f->form = lines("Cache-Control: max-age=0", "Content-Type: application/x-www-form-urlencoded");
  f->agent = agent;
  f->L = load_decoder();
  parse_uris(f, service);
}

void floor_close (struct floor *f) {
  for (int i = 0; i < PAGES; i++)
    curl_url_cleanup(f->uris[i]);
  curl_slist_free_all(f->usual);
  curl_slist_free_all(f->form);
  lua_close(f->L);
}

void client_open (struct client *c, struct floor *f) {
  c->floor = f;
  c->easy = curl_easy_init();
  c->page = PAGES;
  client_set(c, CURLOPT_NOSIGNAL, 1);
  client_set(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  check(curl_easy_setopt(c->easy, CURLOPT_PROXY, ""));
  check(curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, ""));
  check(curl_easy_setopt(c->easy, CURLOPT_USERAGENT, f->agent));
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, f->usual));
  check(curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body));
  check(curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c));
  check(curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c));
}

void client_close (struct client *c) {
  curl_easy_cleanup(c->easy);
}

void client_set (struct client *c, CURLoption option, long value) {
  check(curl_easy_setopt(c->easy, option, value));
}

void client_take_cookies (struct client *c) {
  check(curl_easy_setopt(c->easy, CURLOPT_COOKIEFILE, "")); /* takes cookies, reads none */
}

static void begin_form (struct client *c) {
  check(curl_easy_setopt(c->easy, CURLOPT_COOKIELIST, "ALL")); /* a new session has none */
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->floor->form));
  check(curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, credentials));
}

static void end_form (struct client *c) {
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->floor->usual));
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L));
}

/* libcurl keeps the old URI's text until it is told to drop it. */
void client_turn_to (struct client *c, enum page page) {
  c->length = 0;
  if (page == LOGIN) begin_form(c);
  if (c->page == page) return;
  if (c->page == LOGIN) end_form(c);
  check(curl_easy_setopt(c->easy, CURLOPT_URL, NULL));
  check(curl_easy_setopt(c->easy, CURLOPT_CURLU, c->floor->uris[page]));
  c->page = page;
}

static void check_catalog (struct client *c) {
  lua_State *L = c->floor->L;
  lua_pushvalue(L, 1);
  lua_pushlstring(L, c->body, c->length);
  if (lua_pcall(L, 1, 1, 0)) floor_die("catalog", lua_tostring(L, -1));
  if (lua_getfield(L, -1, "services") != LUA_TTABLE || lua_rawlen(L, -1) != 1)
    floor_die("catalog", "not one service");
  lua_settop(L, 1);
}

void client_check (struct client *c) {
  long status = 0;
  check(curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status));
  if (status != 200) floor_die("not answered with 200", paths[c->page]);
  if (c->page == PING && (c->length != sizeof pong - 1 || memcmp(c->body, pong, c->length)))
    floor_die("not a pong", paths[PING]);
  if (c->page == CATALOG) check_catalog(c);
}
