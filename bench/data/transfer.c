/*
** transfer: requests over bare libcurl, for the floor of data objects: one easy handle that is kept, a URI
** parsed once for as long as it stays the same, no look-up of a proxy, HTTP/1.1 named. A module for Lua:
**
**   transfer(method, uri [, body])    the answer's body; raises for any but 200
*/
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
  CURL *easy;               /* owned */
  CURLU *uri;               /* owned; NULL: none yet */
  struct curl_slist *plain; /* owned; header lines without a body */
  struct curl_slist *json;  /* owned; those with one */
  char name[256];           /* `uri` as text */
  char *body;               /* owned; malloc */
  size_t length, size;
};

/* The whole answer's size where the server tells it: a floor does not grow its buffer. */
static size_t wanted_size (struct transfer *t, size_t count) {
  curl_off_t told = -1;
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &told);
  if (told > 0 && (size_t)told >= t->length + count) return (size_t)told;
  return (t->length + count) * 2;
}

static size_t on_body (char *data, size_t size, size_t count, void *ud) {
  struct transfer *t = ud;
  (void)size; /* always 1 */
  if (count > t->size - t->length) {
    size_t wanted = wanted_size(t, count);
    char *body = realloc(t->body, wanted);
    if (!body) return 0;
    t->body = body;
    t->size = wanted;
  }
  memcpy(t->body + t->length, data, count);
  t->length += count;
  return count;
}

static void set_uri (lua_State *L, struct transfer *t, const char *uri) {
  if (t->uri && strcmp(uri, t->name) == 0) return;
  luaL_argcheck(L, strlen(uri) < sizeof t->name, 2, "too long");
  memcpy(t->name, uri, strlen(uri) + 1);
  curl_easy_setopt(t->easy, CURLOPT_URL, NULL);
  curl_url_cleanup(t->uri);
  t->uri = curl_url();
  if (curl_url_set(t->uri, CURLUPART_URL, uri, 0)) luaL_argerror(L, 2, "not a URI");
  curl_easy_setopt(t->easy, CURLOPT_CURLU, t->uri);
}

static void set_request (struct transfer *t, const char *method, const char *body, size_t length) {
  curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, body ? t->json : t->plain);
  if (body) {
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, body);
  } else {
    curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
}

static int request (lua_State *L) {
  struct transfer *t = lua_touserdata(L, lua_upvalueindex(1));
  size_t length = 0;
  long status = 0;
  const char *method = luaL_checkstring(L, 1), *uri = luaL_checkstring(L, 2);
  const char *body = luaL_optlstring(L, 3, NULL, &length);
  set_uri(L, t, uri);
  set_request(t, method, body, length);
  t->length = 0;
  CURLcode code = curl_easy_perform(t->easy);
  if (code) return luaL_error(L, "%s: %s", uri, curl_easy_strerror(code));
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return luaL_error(L, "%s: %d", uri, (int)status);
  lua_pushlstring(L, t->body ? t->body : "", t->length);
  if (t->size > 1 << 16) { /* a large answer is not held twice */
    free(t->body);
    t->body = NULL;
    t->size = 0;
  }
  return 1;
}

static struct curl_slist *lines (const char *type) {
  struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
  list = curl_slist_append(list, "Cache-Control: no-cache");
  list = curl_slist_append(list, "Pragma: no-cache");
  list = curl_slist_append(list, "Expect:");
  return type ? curl_slist_append(list, type) : list;
}

/* The process ends soon: nothing is freed. */
int luaopen_transfer (lua_State *L) {
  struct transfer *t = lua_newuserdatauv(L, sizeof *t, 0);
  memset(t, 0, sizeof *t);
  t->easy = curl_easy_init();
  t->plain = lines(NULL);
  t->json = lines("Content-Type: application/json; charset=utf-8");
  curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
  lua_pushcclosure(L, request, 1);
  return 1;
}
