#include "net/cookie_lines.h"

#include "net/ascii.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_TABS = 6, LINE_EXPIRY = 4 };
static const char http_only[] = "#HttpOnly_";

/* True for a cookie's line. CURLOPT_COOKIELIST also takes commands, such as ALL, and header lines. */
bool cookie_lines_is (const char *line) {
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

static bool ends_with (const char *text, size_t length, const char *end, size_t end_length) {
  return length >= end_length && ascii_same_start(text + length - end_length, end, end_length);
}

bool cookie_lines_is_for (const char *line, const char *host) {
  const char *domain = strncmp(line, http_only, sizeof http_only - 1) ? line : line + sizeof http_only - 1;
  const char *tab = strchr(domain, '\t');
  size_t length, host_length = strlen(host);
  if (!tab) return false;
  if (*domain == '.') domain++;
  length = (size_t)(tab - domain);
  if (!length || !ends_with(host, host_length, domain, length)) return false;
  return length == host_length || (host[host_length - length - 1] == '.' && !strncmp(tab, "\tTRUE\t", 6));
}

/*
** A new easy handle that is attached to the share: libcurl gives access to its cookies in no other way. NULL:
** out of memory.
*/
static CURL *reach (CURLSH *share) {
  CURL *easy = curl_easy_init();
  if (!easy || !curl_easy_setopt(easy, CURLOPT_SHARE, share)) return easy;
  /* GCOVR_EXCL_START: libcurl asks for no memory when it attaches a handle to a share */
  curl_easy_cleanup(easy);
  return NULL;
  /* GCOVR_EXCL_STOP */
}

static void leave (CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
  curl_easy_cleanup(easy);
}

static bool list (CURL *easy, struct curl_slist **lines) {
  *lines = NULL;
  return curl_easy_getinfo(easy, CURLINFO_COOKIELIST, lines) == CURLE_OK;
}

bool cookie_lines_list (CURLSH *share, struct curl_slist **lines) {
  CURL *easy = reach(share);
  bool ok;
  *lines = NULL;
  if (!easy) return false;
  ok = list(easy, lines);
  leave(easy);
  return ok;
}

bool cookie_lines_put (CURLSH *share, const char *line) {
  CURL *easy = reach(share);
  CURLcode code;
  if (!easy) return false;
  code = curl_easy_setopt(easy, CURLOPT_COOKIELIST, line);
  leave(easy);
  return code == CURLE_OK;
}

struct cookie_parcel {
  size_t size;  /* of this block */
  char lines[]; /* each with its NUL, and an empty one */
};

/* libcurl reads at most this many lines in a row, and takes two tabs in a row for one. */
enum { MOST_LINES = 16 };

/* The size of the lines as a parcel; 0: there are none, or libcurl would not take some back unchanged. */
static size_t parcel_size (const struct curl_slist *lines) {
  size_t size = sizeof(struct cookie_parcel) + 1;
  unsigned count = 0;
  for (; lines; lines = lines->next) {
    if (++count > MOST_LINES || !cookie_lines_is(lines->data) || strstr(lines->data, "\t\t")) return 0;
    size += strlen(lines->data) + 1;
  }
  return count ? size : 0;
}

static struct cookie_parcel *pack (const struct allocator *memory, const struct curl_slist *lines) {
  size_t size = parcel_size(lines), length;
  struct cookie_parcel *parcel = size ? memory_new(memory, size) : NULL;
  char *to;
  if (!parcel) return NULL;
  parcel->size = size;
  for (to = parcel->lines; lines; lines = lines->next, to += length) {
    length = strlen(lines->data) + 1;
    memcpy(to, lines->data, length);
  }
  return parcel;
}

struct cookie_parcel *cookie_parcel_new (const struct allocator *memory, CURLSH *share) {
  struct curl_slist *lines;
  struct cookie_parcel *parcel = cookie_lines_list(share, &lines) ? pack(memory, lines) : NULL;
  curl_slist_free_all(lines);
  return parcel;
}

/* True if the cookie will not have expired when the parcel is opened. */
static bool lasts (const char *line, time_t now) {
  enum { SOON = 10 };
  long long expiry;
  for (int i = 0; i < LINE_EXPIRY; i++)
    line = strchr(line, '\t') + 1;
  expiry = strtoll(line, NULL, 10);
  return !expiry || expiry > now + SOON;
}

/*
** True if the handle has `expected` cookies that last. libcurl does not report that it ran out of memory for
** one.
*/
static bool holds (CURL *easy, unsigned expected, time_t now) {
  struct curl_slist *lines, *line;
  bool ok = list(easy, &lines);
  for (line = lines; line && expected; line = line->next)
    if (lasts(line->data, now)) expected--;
  curl_slist_free_all(lines);
  return ok && !expected;
}

static bool put_all (CURL *easy, const char *line) {
  time_t now = time(NULL);
  unsigned lasting = 0;
  for (; *line; line += strlen(line) + 1) {
    if (lasts(line, now)) lasting++;
    if (curl_easy_setopt(easy, CURLOPT_COOKIELIST, line)) return false;
  }
  return holds(easy, lasting, now);
}

bool cookie_parcel_open (const struct cookie_parcel *parcel, CURLSH *share) {
  CURL *easy = reach(share);
  bool ok = easy && put_all(easy, parcel->lines);
  if (easy) leave(easy);
  return ok;
}

void cookie_parcel_free (const struct allocator *memory, struct cookie_parcel *parcel) {
  if (parcel) memory_wipe_free(memory, parcel, parcel->size);
}
