#include "jar.h"

#include <string.h>

struct jar {
  const struct allocator *memory; /* borrowed */
  size_t references;
  size_t handles;   /* easy handles that are attached */
  CURLSH *share;    /* owned; NULL while there is nothing to keep: a share costs a kilobyte */
  size_t seen;      /* bytes of the lines that set cookies, since they were last measured */
  bool has_cookies; /* a response set one, so the share must stay */
  bool has_secret;
  bool forgotten;
};

struct jar *jar_new (const struct allocator *memory) {
  struct jar *jar = memory_new(memory, sizeof *jar);
  if (!jar) return NULL;
  jar->memory = memory;
  jar->references = 1;
  return jar;
}

struct jar *jar_keep (struct jar *jar) {
  if (jar) jar->references++;
  return jar;
}

static void drop_share (struct jar *jar) {
  if (jar->share) curl_share_cleanup(jar->share);
  jar->share = NULL;
  jar->seen = 0;
  jar->has_cookies = false;
}

/* Who attached a handle holds a reference, so none is attached any more. */
void jar_release (struct jar *jar) {
  if (!jar || --jar->references > 0) return;
  drop_share(jar);
  memory_free(jar->memory, jar, sizeof *jar);
}

static bool need_share (struct jar *jar) {
  if (jar->share) return true;
  CURLSH *share = curl_share_init();
  if (!share) return false;
  if (curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE)) {
    curl_share_cleanup(share);
    return false;
  }
  jar->share = share;
  return true;
}

CURLcode jar_attach (struct jar *jar, CURL *easy) {
  if (!need_share(jar)) return CURLE_OUT_OF_MEMORY;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SHARE, jar->share);
  if (!code) jar->handles++;
  return code;
}

void jar_detach (struct jar *jar, CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
  if (--jar->handles == 0 && !jar->has_cookies) drop_share(jar);
}

void jar_note_cookie (struct jar *jar, size_t length) {
  jar->has_cookies = jar->has_secret = true;
  jar->seen += length;
}

void jar_note_secret (struct jar *jar) {
  if (jar) jar->has_secret = true;
}

bool jar_has_secret (const struct jar *jar) {
  return jar->has_secret;
}

bool jar_has_cookies (const struct jar *jar) {
  return jar->has_cookies;
}

void jar_set_forgotten (struct jar *jar, bool forgotten) {
  jar->forgotten = forgotten;
}

bool jar_is_forgotten (const struct jar *jar) {
  return jar->forgotten;
}

/*
** libcurl reaches the cookies of a share only through an easy handle that is attached to it: one made for the purpose.
** NULL: no memory.
*/
static CURL *reach (struct jar *jar) {
  CURL *easy = curl_easy_init();
  if (!easy || !jar_attach(jar, easy)) return easy;
  curl_easy_cleanup(easy);
  return NULL;
}

static void leave (struct jar *jar, CURL *easy) {
  jar_detach(jar, easy);
  curl_easy_cleanup(easy);
}

bool jar_clear (struct jar *jar) {
  if (!jar->has_cookies) return true;
  if (jar->handles == 0) {
    drop_share(jar);
    return true;
  }
  CURL *easy = reach(jar);
  if (!easy) return false;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL");
  leave(jar, easy);
  return code == CURLE_OK;
}

/* Most lines set anew what is there: only now and then is it worth to count what that comes to. */
bool jar_is_overfull (struct jar *jar) {
  struct curl_slist *all = NULL, *line;
  CURL *easy = jar->seen > JAR_LIMIT ? reach(jar) : NULL;
  if (!easy) return false;
  jar->seen = 0;
  if (curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &all) != CURLE_OK) all = NULL;
  leave(jar, easy);
  for (line = all; line; line = line->next)
    jar->seen += strlen(line->data);
  curl_slist_free_all(all);
  return jar->seen > JAR_LIMIT;
}

/* A line of Netscape's cookie file: domain, whether it covers subdomains, path, https alone, expiry, name, value. */
enum { LINE_TABS = 6 };
static const char http_only[] = "#HttpOnly_";

static bool ends_with (const char *text, size_t length, const char *end, size_t end_length) {
  return length >= end_length && curl_strnequal(text + length - end_length, end, end_length);
}

/* Would the cookie of this line be sent to `host`? */
static bool is_for (const char *line, const char *host) {
  const char *domain = strncmp(line, http_only, sizeof http_only - 1) ? line : line + sizeof http_only - 1;
  const char *tab = strchr(domain, '\t');
  size_t length, host_length = strlen(host);
  if (!tab) return false;
  if (*domain == '.') domain++;
  length = (size_t)(tab - domain);
  if (!length || !ends_with(host, host_length, domain, length)) return false;
  return length == host_length || (host[host_length - length - 1] == '.' && !strncmp(tab, "\tTRUE\t", 6));
}

static struct curl_slist *only_for (struct curl_slist *all, const char *host, bool *ok) {
  struct curl_slist *kept = NULL, *line, *longer;
  for (line = all; line && *ok; line = line->next) {
    if (!is_for(line->data, host)) continue;
    longer = curl_slist_append(kept, line->data);
    *ok = longer != NULL;
    if (longer) kept = longer;
  }
  return kept;
}

bool jar_export (struct jar *jar, const char *host, struct curl_slist **lines) {
  struct curl_slist *all = NULL;
  bool ok = true;
  *lines = NULL;
  if (!jar->has_cookies) return true;
  CURL *easy = reach(jar);
  if (!easy) return false;
  ok = curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &all) == CURLE_OK;
  leave(jar, easy);
  *lines = only_for(all, host, &ok);
  curl_slist_free_all(all);
  return ok;
}

/* libcurl takes other things by the same way: commands such as ALL, and header lines. */
static bool is_line (const char *line) {
  size_t tabs = 0;
  if (!strncmp(line, http_only, sizeof http_only - 1))
    line += sizeof http_only - 1;
  else if (*line == '#')
    return false;
  for (; *line; line++) {
    if (*line == '\t')
      tabs++;
    else if ((unsigned char)*line < ' ' || *line == 127)
      return false;
  }
  return tabs == LINE_TABS;
}

bool jar_import (struct jar *jar, const char *host, const char *line) {
  CURLcode code;
  CURL *easy;
  if (!is_line(line) || !is_for(line, host)) return false;
  easy = reach(jar);
  if (!easy) return false;
  code = curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
  if (!code) jar_note_cookie(jar, strlen(line));
  leave(jar, easy);
  return code == CURLE_OK;
}
