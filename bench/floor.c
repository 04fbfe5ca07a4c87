/*
** floor: what the benchmark's works cost over bare libcurl. One easy handle that is kept, each URI parsed once, no
** look-up of a proxy, HTTP/1.1 named, and on the wire the header lines that datasession sends; a catalog is
** decoded by lua-cjson in an embedded Lua state. Prints microseconds of CPU time for each unit of work.
**
**   floor ping|lifecycle|form COUNT SERVICE-URI USER-AGENT
**
** ping       COUNT pings, one after another
** lifecycle  COUNT times: the login target with credentials (HTTP Basic), the catalog, a ping
** form       COUNT times: the login form, the login target, the catalog, a ping, logout, with a cookie
*/
#include <curl/curl.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum page { LOGIN, TARGET, CATALOG, PING, LOGOUT, PAGES };

static const char *const paths[PAGES] = {"/static/auth/j_spring_security_check", "/static/home.html",
                                         "/static/catalog.json", "/rest/_oepingService/_oeping",
                                         "/static/auth/j_spring_security_logout"};

static const char pong[] = "{\"response\":{\"_retVal\":\"\"}}";
static const char credentials[] = "j_username=lua&j_password=secret&submit=Submit";

struct client {
  CURL *easy;               /* owned */
  CURLU *uris[PAGES];       /* owned */
  struct curl_slist *usual; /* owned; every request's header lines */
  struct curl_slist *form;  /* owned; the login form's */
  lua_State *L;             /* owned; cjson.decode is at 1 */
  enum page page;           /* that `easy` is set to; PAGES: none yet */
  size_t length;
  char body[1 << 20];
};

static void die (const char *what, const char *why) {
  fprintf(stderr, "floor: %s: %s\n", what, why);
  exit(1);
}

static void check (CURLcode code) {
  if (code) die("libcurl", curl_easy_strerror(code));
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

static void parse_uris (struct client *c, const char *service) {
  char text[1024];
  for (int i = 0; i < PAGES; i++) {
    snprintf(text, sizeof text, "%s%s", service, paths[i]);
    c->uris[i] = curl_url();
    if (curl_url_set(c->uris[i], CURLUPART_URL, text, 0)) die("not a URI", text);
  }
}

static lua_State *load_decoder (void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require('cjson').decode")) die("lua-cjson", lua_tostring(L, -1));
  return L;
}

static void open_client (struct client *c, const char *service, const char *agent) {
  c->easy = curl_easy_init();
  c->usual = lines("Cache-Control: no-cache", NULL);
  c->form = lines("Cache-Control: max-age=0", "Content-Type: application/x-www-form-urlencoded");
  c->page = PAGES;
  c->L = load_decoder();
  parse_uris(c, service);
  check(curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L));
  check(curl_easy_setopt(c->easy, CURLOPT_PROXY, ""));
  check(curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
  check(curl_easy_setopt(c->easy, CURLOPT_ACCEPT_ENCODING, ""));
  check(curl_easy_setopt(c->easy, CURLOPT_USERAGENT, agent));
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->usual));
  check(curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body));
  check(curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c));
}

static void close_client (struct client *c) {
  curl_easy_cleanup(c->easy);
  for (int i = 0; i < PAGES; i++)
    curl_url_cleanup(c->uris[i]);
  curl_slist_free_all(c->usual);
  curl_slist_free_all(c->form);
  lua_close(c->L);
}

/* libcurl keeps the old URI's text until it is told to drop it. */
static void turn_to (struct client *c, enum page page) {
  if (c->page == page) return;
  check(curl_easy_setopt(c->easy, CURLOPT_URL, NULL));
  check(curl_easy_setopt(c->easy, CURLOPT_CURLU, c->uris[page]));
  c->page = page;
}

static void fetch (struct client *c, enum page page) {
  long status = 0;
  turn_to(c, page);
  c->length = 0;
  check(curl_easy_perform(c->easy));
  check(curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status));
  if (status != 200) die("not answered with 200", paths[page]);
}

static void ping (struct client *c) {
  fetch(c, PING);
  if (c->length != sizeof pong - 1 || memcmp(c->body, pong, c->length)) die("not a pong", paths[PING]);
}

static void load_catalog (struct client *c) {
  lua_State *L = c->L;
  fetch(c, CATALOG);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, c->body, c->length);
  if (lua_pcall(L, 1, 1, 0)) die("catalog", lua_tostring(L, -1));
  if (lua_getfield(L, -1, "services") != LUA_TTABLE || lua_rawlen(L, -1) != 1)
    die("catalog", "not one service");
  lua_settop(L, 1);
}

static void lifecycle (struct client *c) {
  fetch(c, TARGET);
  load_catalog(c);
  ping(c);
}

static void send_form (struct client *c) {
  check(curl_easy_setopt(c->easy, CURLOPT_COOKIELIST, "ALL")); /* a new session has none */
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->form));
  check(curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, credentials));
  fetch(c, LOGIN);
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->usual));
  check(curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L));
}

static void form (struct client *c) {
  send_form(c);
  lifecycle(c);
  fetch(c, LOGOUT);
}

typedef void work (struct client *c);

static const struct {
  const char *name;
  work *run;
} works[] = {{"ping", ping}, {"lifecycle", lifecycle}, {"form", form}};

static work *find_work (const char *name) {
  for (size_t i = 0; i < sizeof works / sizeof *works; i++)
    if (!strcmp(works[i].name, name)) return works[i].run;
  die("no such work", name);
  return NULL;
}

int main (int argc, char **argv) {
  static struct client client;
  if (argc != 5) die("usage", "floor ping|lifecycle|form COUNT SERVICE-URI USER-AGENT");
  work *run = find_work(argv[1]);
  long count = strtol(argv[2], NULL, 10);
  open_client(&client, argv[3], argv[4]);
  if (run == lifecycle) check(curl_easy_setopt(client.easy, CURLOPT_USERPWD, "lua:secret"));
  if (run == form)
    check(curl_easy_setopt(client.easy, CURLOPT_COOKIEFILE, "")); /* takes cookies, reads none */
  if (run == ping) fetch(&client, TARGET);                        /* what logs datasession in */
  run(&client);
  clock_t start = clock();
  for (long i = 0; i < count; i++)
    run(&client);
  printf("%.3f\n", (double)(clock() - start) / CLOCKS_PER_SEC * 1e6 / (double)count);
  close_client(&client);
  return 0;
}
