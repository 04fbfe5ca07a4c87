#include "net/cookie_jar.h"

#include "net/cookie_lines.h"

#include <string.h>

struct cookie_jar {
  struct cookie_jars *jars;   /* borrowed */
  CURLSH *share;              /* owned; NULL while there are no cookies, or `away` holds them */
  struct cookie_parcel *away; /* owned, wiped; or NULL */
  unsigned references;
  unsigned handles;     /* easy handles that are attached */
  unsigned seen;        /* bytes of Set-Cookie lines since the cookies were last measured */
  unsigned short place; /* 1 + index in jars->warm; 0: not there */
  bool has_cookies : 1; /* a response set one, so the cookies must stay */
  bool has_secret : 1;
  bool forgotten : 1;
};

_Static_assert(sizeof(struct cookie_jar) <= 40, "docs/internals.md, What a session takes");

void cookie_jars_init (struct cookie_jars *jars, const struct allocator *memory, unsigned short most) {
  jars->memory = memory;
  jars->warm = NULL;
  jars->most = most;
  jars->next = 0;
}

static void lose_place (struct cookie_jar *jar) {
  if (jar->place) jar->jars->warm[jar->place - 1] = NULL;
  jar->place = 0;
}

void cookie_jars_cleanup (struct cookie_jars *jars) {
  for (unsigned i = 0; jars->warm && i < jars->most; i++)
    if (jars->warm[i]) jars->warm[i]->place = 0;
  memory_free(jars->memory, jars->warm, jars->most * sizeof *jars->warm);
  jars->warm = NULL;
  jars->most = 0;
}

struct cookie_jar *cookie_jar_new (struct cookie_jars *jars) {
  struct cookie_jar *jar = memory_new(jars->memory, sizeof *jar);
  if (!jar) return NULL;
  jar->jars = jars;
  jar->references = 1;
  return jar;
}

struct cookie_jar *cookie_jar_keep (struct cookie_jar *jar) {
  if (jar) jar->references++;
  return jar;
}

static void drop_share (struct cookie_jar *jar) {
  if (jar->share) curl_share_cleanup(jar->share);
  jar->share = NULL;
}

static void drop_parcel (struct cookie_jar *jar) {
  cookie_parcel_free(jar->jars->memory, jar->away);
  jar->away = NULL;
}

static void drop_cookies (struct cookie_jar *jar) {
  drop_share(jar);
  drop_parcel(jar);
  lose_place(jar);
  jar->seen = 0;
  jar->has_cookies = false;
}

/* The owner of each attached handle holds a reference, so no handle is attached any more. */
void cookie_jar_release (struct cookie_jar *jar) {
  if (!jar || --jar->references > 0) return;
  drop_cookies(jar);
  memory_free(jar->jars->memory, jar, sizeof *jar);
}

static CURLSH *new_share (void) {
  CURLSH *share = curl_share_init();
  if (!share || !curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE)) return share;
  curl_share_cleanup(share);
  return NULL;
}

/*
** True if the parcel can be opened. libcurl does not take back all that it exports, and does not report that.
*/
static bool opens (const struct cookie_parcel *parcel) {
  CURLSH *share = parcel ? new_share() : NULL;
  bool ok = share && cookie_parcel_open(parcel, share);
  if (share) curl_share_cleanup(share);
  return ok;
}

/* Replaces the share by a parcel. The share stays if that fails or memory runs out. */
static void put_away (struct cookie_jar *jar) {
  jar->away = cookie_parcel_new(jar->jars->memory, jar->share);
  if (opens(jar->away))
    drop_share(jar);
  else
    drop_parcel(jar);
}

/* For a jar with cookies and no handle. If all places are taken, the oldest such jar gives up its share. */
static void take_place (struct cookie_jar *jar) {
  struct cookie_jars *jars = jar->jars;
  struct cookie_jar **place;
  if (jar->place || !jars->most) return;
  if (!jars->warm) jars->warm = memory_new(jars->memory, jars->most * sizeof *jars->warm);
  if (!jars->warm) return;
  place = &jars->warm[jars->next];
  if (*place && !(*place)->handles) put_away(*place);
  if (*place) lose_place(*place);
  *place = jar;
  jars->next = (unsigned short)((jars->next + 1) % jars->most);
  jar->place = (unsigned short)(place - jars->warm + 1);
}

static bool need_share (struct cookie_jar *jar) {
  CURLSH *share = jar->share ? jar->share : new_share();
  if (!share) return false;
  if (jar->away && !cookie_parcel_open(jar->away, share)) {
    /* GCOVR_EXCL_START: out of memory; seldom in a short run */
    curl_share_cleanup(share);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  drop_parcel(jar);
  jar->share = share;
  return true;
}

/* After the last handle is detached: the share is kept, packed, or freed. */
static void rest (struct cookie_jar *jar) {
  if (jar->handles) return;
  if (jar->has_cookies)
    take_place(jar);
  else
    drop_share(jar);
}

CURLcode cookie_jar_attach (struct cookie_jar *jar, CURL *easy) {
  if (!need_share(jar)) return CURLE_OUT_OF_MEMORY;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SHARE, jar->share);
  if (!code) jar->handles++;
  return code;
}

void cookie_jar_detach (struct cookie_jar *jar, CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
  jar->handles--;
  rest(jar);
}

/* `seen` is bounded: cookie_jar_is_overfull looks before more bytes come. */
void cookie_jar_note_cookie (struct cookie_jar *jar, size_t length) {
  jar->has_cookies = jar->has_secret = true;
  if (jar->seen <= JAR_LIMIT) jar->seen += (unsigned)(length > JAR_LIMIT ? JAR_LIMIT + 1 : length);
}

void cookie_jar_note_secret (struct cookie_jar *jar) {
  if (jar) jar->has_secret = true;
}

bool cookie_jar_has_secret (const struct cookie_jar *jar) {
  return jar->has_secret;
}

bool cookie_jar_has_cookies (const struct cookie_jar *jar) {
  return jar->has_cookies;
}

void cookie_jar_set_forgotten (struct cookie_jar *jar, bool forgotten) {
  jar->forgotten = forgotten;
}

bool cookie_jar_is_forgotten (const struct cookie_jar *jar) {
  return jar->forgotten;
}

bool cookie_jar_clear (struct cookie_jar *jar) {
  if (!jar->has_cookies) return true;
  if (jar->handles > 0) return cookie_lines_put(jar->share, "ALL");
  drop_cookies(jar);
  return true;
}

/* The lines of all cookies, for the caller to free. False: out of memory. */
static bool list_all (struct cookie_jar *jar, struct curl_slist **lines) {
  bool ok;
  *lines = NULL;
  if (!need_share(jar)) return false;
  ok = cookie_lines_list(jar->share, lines);
  rest(jar);
  return ok;
}

/* Most lines replace a cookie that is there, so the size is measured only now and then. */
bool cookie_jar_is_overfull (struct cookie_jar *jar) {
  struct curl_slist *all, *line;
  if (jar->seen <= JAR_LIMIT || !list_all(jar, &all)) return false;
  jar->seen = 0;
  for (line = all; line; line = line->next)
    cookie_jar_note_cookie(jar, strlen(line->data));
  curl_slist_free_all(all);
  return jar->seen > JAR_LIMIT;
}

static struct curl_slist *only_for (struct curl_slist *all, const char *host, bool *ok) {
  struct curl_slist *kept = NULL, *line, *longer;
  for (line = all; line && *ok; line = line->next) {
    if (!cookie_lines_is_for(line->data, host)) continue;
    longer = curl_slist_append(kept, line->data);
    *ok = longer != NULL;
    if (longer) kept = longer;
  }
  return kept;
}

bool cookie_jar_export_all (struct cookie_jar *jar, struct curl_slist **lines) {
  *lines = NULL;
  return !jar->has_cookies || list_all(jar, lines);
}

bool cookie_jar_export (struct cookie_jar *jar, const char *host, struct curl_slist **lines) {
  struct curl_slist *all;
  bool ok;
  *lines = NULL;
  if (!jar->has_cookies) return true;
  ok = list_all(jar, &all);
  if (ok) *lines = only_for(all, host, &ok);
  curl_slist_free_all(all);
  return ok;
}

bool cookie_jar_import (struct cookie_jar *jar, const char *host, const char *line) {
  bool ok;
  if (!cookie_lines_is(line) || !cookie_lines_is_for(line, host) || !need_share(jar)) return false;
  ok = cookie_lines_put(jar->share, line);
  if (ok) cookie_jar_note_cookie(jar, strlen(line));
  rest(jar);
  return ok;
}
