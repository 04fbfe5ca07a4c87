/*
** floor: one client over bare libcurl, as floor.c and floor_many.c use it: an easy handle that is kept, each
** URI parsed once, no look-up of a proxy, HTTP/1.1 named, and on the wire the header lines that datasession
** sends. A catalog is decoded by lua-cjson in an embedded Lua state. Whatever goes wrong ends the program.
*/
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <curl/curl.h>
#include <lua.h>
#include <stdbool.h>

enum page { LOGIN, TARGET, CATALOG, PING, LOGOUT, PAGES };

/* The clients share it. */
struct floor {
  CURLU *uris[PAGES];       /* owned */
  struct curl_slist *usual; /* owned; every request's header lines */
  struct curl_slist *form;  /* owned; the login form's */
  lua_State *L;             /* owned; cjson.decode is at 1 */
  const char *agent;
};

struct client {
  struct floor *floor; /* borrowed */
  CURL *easy;          /* owned */
  enum page page;      /* that `easy` is set to; PAGES: none yet */
  size_t length;
  char body[1 << 20];
};

void floor_die (const char *what, const char *why);
void floor_open (struct floor *f, const char *service, const char *agent);
void floor_close (struct floor *f);

void client_open (struct client *c, struct floor *f);
void client_close (struct client *c);
void client_set (struct client *c, CURLoption option, long value);
void client_take_cookies (struct client *c);

/* Sets the handle up for a page; LOGIN posts the form, all cookies being forgotten. */
void client_turn_to (struct client *c, enum page page);

/* Ends the program unless the answer is the page's. Decodes a catalog. */
void client_check (struct client *c);

/* 500 sessions at once; see floor_many.c. Returns microseconds of CPU time for each. */
double many_run (struct floor *f, long sessions, bool form);

#endif
