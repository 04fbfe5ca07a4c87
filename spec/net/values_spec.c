#include "check.h"
#include "groups.h"
#include "net/buffer.h"
#include "net/curl_failure.h"
#include "net/headers.h"
#include "net/host_queue.h"
#include "net/number.h"
#include "net/percent.h"
#include "net/timers.h"
#include "net/transport.h"
#include "net/uri.h"

#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void buffer_grows_to_its_limit (void) {
  struct buffer b;
  buffer_init(&b, &checked_memory, 2000);
  CHECK(b.data == NULL && b.length == 0);
  for (int i = 0; i < 200; i++)
    CHECK(buffer_add(&b, "0123456789", 10) == BUFFER_OK);
  CHECK(b.length == 2000 && strlen(b.data) == 2000);
  CHECK(buffer_add(&b, "x", 1) == BUFFER_FULL && b.length == 2000);
  CHECK(buffer_add(&b, "", 0) == BUFFER_OK);
  buffer_clear(&b);
  CHECK(b.length == 0 && b.data[0] == '\0');
  check_fail_at(1, true);
  CHECK(buffer_add(&b, "y", 1) == BUFFER_OK); /* the block is kept */
  buffer_cleanup(&b);
  CHECK(buffer_add(&b, "y", 1) == BUFFER_NO_MEMORY);
  check_fail_at(0, false);
  b.secret = true;
  for (int i = 0; i < 100; i++)
    CHECK(buffer_add(&b, "0123456789", 10) == BUFFER_OK);
  CHECK(memcmp(b.data + 990, "0123456789", 11) == 0);
  buffer_wipe(&b);
  CHECK(b.data == NULL && b.length == 0);
  buffer_init(&b, &checked_memory, SIZE_MAX);
  CHECK(buffer_add(&b, "z", 1) == BUFFER_OK);
  CHECK(buffer_add(&b, "z", SIZE_MAX - 1) == BUFFER_FULL);
  buffer_cleanup(&b);
}

static struct curl_slist *lines (struct header_list *list) {
  struct curl_slist *first = NULL;
  CHECK(header_list_lines(list, &first));
  return first;
}

static enum header_result set (struct header_list *list, const char *name, const char *value) {
  return header_list_set(list, name, strlen(name), value, strlen(value));
}

void headers_refuse_injection (void) {
  struct header_list *list = header_list_new(&checked_memory);
  CHECK(set(list, "X-A", "b\r\nX-Evil: 1") == HEADER_BAD_VALUE);
  CHECK(set(list, "X-A", "b\n") == HEADER_BAD_VALUE);
  CHECK(set(list, "X-A", "b\rc") == HEADER_BAD_VALUE);
  CHECK(header_list_set(list, "X-A", 3, "b\0c", 3) == HEADER_BAD_VALUE);
  CHECK(set(list, "X-A\r\nX-B", "c") == HEADER_BAD_NAME);
  CHECK(set(list, "X A", "c") == HEADER_BAD_NAME);
  CHECK(set(list, "X:A", "c") == HEADER_BAD_NAME);
  CHECK(set(list, "X-\xc3\xa4", "c") == HEADER_BAD_NAME);
  CHECK(header_list_set(list, "X\0A", 3, "c", 1) == HEADER_BAD_NAME);
  CHECK(set(list, "", "c") == HEADER_BAD_NAME);
  CHECK(lines(list) == NULL);
  CHECK(set(list, "X-Fine_1.~", "\xc3\xa4 b\tc") == HEADER_OK);
  header_list_release(list);
}

void headers_are_replaced_and_removed (void) {
  struct header_list *list = header_list_new(&checked_memory);
  CHECK(set(list, "Accept", "a") == HEADER_OK && set(list, "X-B", "1") == HEADER_OK);
  CHECK(set(list, "ACCEPT", "  b ") == HEADER_OK);
  CHECK_TEXT(lines(list)->data,
             "ACCEPT: b\r\nX-B: 1"); /* lines that libcurl does not search for are one line to it */
  CHECK(lines(list)->next == NULL);
  CHECK(set(list, "Content-Type", "t") == HEADER_OK && set(list, "pragma", "p") == HEADER_OK);
  CHECK_TEXT(lines(list)->data, "ACCEPT: b\r\nX-B: 1\r\npragma: p");
  CHECK_TEXT(lines(list)->next->data, "Content-Type: t");
  header_list_remove(list, "Content-Type", 12);
  header_list_remove(list, "PRAGMA", 6);
  CHECK(set(list, "x-b", " \t ") == HEADER_OK);
  CHECK_TEXT(lines(list)->data, "ACCEPT: b\r\nx-b:");
  CHECK(header_list_has(list, "X-B") && !header_list_has(list, "X-") && !header_list_has(list, "X-BB"));
  struct header_list *copy = header_list_copy(list);
  header_list_remove(list, "Accept", 6);
  header_list_remove(list, "Nothing", 7);
  CHECK_TEXT(lines(list)->data, "x-b;");
  CHECK_TEXT(lines(copy)->data, "ACCEPT: b\r\nx-b:");
  CHECK(!header_list_equal(list, copy));
  CHECK(set(list, "Accept", "b") == HEADER_OK && !header_list_equal(list, copy)); /* differs only in case */
  CHECK(set(list, "ACCEPT", "b") == HEADER_OK && header_list_equal(list, copy));
  header_list_remove(list, "ACCEPT", 6);
  CHECK(header_list_keep(copy) == copy && header_list_keep(NULL) == NULL);
  header_list_release(copy);
  for (unsigned long n = 1; n <= 3; n++) {
    check_fail_at(n, true);
    CHECK(header_list_copy(copy) == NULL);
  }
  CHECK(set(list, "X-C", "1") == HEADER_NO_MEMORY);
  check_fail_at(0, false);
  header_list_release(copy);
  header_list_release(list);
  header_list_release(NULL);
}

/* More than a linear search handles: an index is used. */
enum { MANY_LINES = 300 };

static bool set_many (struct header_list *list, const char *pattern, const char *value) {
  char name[32];
  bool ok = true;
  for (int i = 0; ok && i < MANY_LINES; i++) {
    snprintf(name, sizeof name, pattern, i);
    ok = set(list, name, value) == HEADER_OK;
  }
  return ok;
}

static size_t count_lines (struct header_list *list, const char *value) {
  size_t count = 0;
  for (struct curl_slist *line = lines(list); line; line = line->next)
    if (strstr(line->data, value)) count++;
  return count;
}

static void remove_every_second (struct header_list *list) {
  char name[32];
  for (int i = 0; i < MANY_LINES; i += 2) {
    snprintf(name, sizeof name, "NAME-%d", i);
    header_list_remove(list, name, strlen(name));
  }
}

void many_headers_are_found (void) {
  struct header_list *list = header_list_new(&checked_memory), *copy;
  CHECK(set_many(list, "Name-%d", "first") && count_lines(list, ": first") == MANY_LINES);
  CHECK(set_many(list, "nAME-%d", "second"));
  CHECK(count_lines(list, ": second") == MANY_LINES && count_lines(list, ": first") == 0);
  CHECK_TEXT(lines(list)->data, "nAME-0: second");
  CHECK_TEXT(lines(list)->next->data, "nAME-1: second");
  remove_every_second(list);
  CHECK(count_lines(list, ": second") == MANY_LINES / 2);
  CHECK(!header_list_has(list, "name-298") && header_list_has(list, "name-299"));
  copy = header_list_copy(list);
  CHECK(header_list_equal(list, copy) && header_list_has(copy, "NAME-1") && !header_list_has(copy, "NAME-2"));
  CHECK(set(copy, "name-299", "last") == HEADER_OK && set(copy, "another", "x") == HEADER_OK);
  CHECK(count_lines(copy, ": last") == 1 && count_lines(copy, ": second") == MANY_LINES / 2 - 1);
  header_list_release(copy);
  header_list_release(list);
}

void headers_are_read (void) {
  static const char block[] =
      "HTTP/1.1 200 OK\r\nA: 1\r\nno colon\r\n folded: x\r\nSet-Cookie:\t a=b; c \t\r\n"
      "set-cookie: d\nEmpty:\r\nURL: http://h:1/\r\n\r\n";
  struct header_line line;
  size_t at = 0, count = 0;
  while (header_next(block, sizeof block - 1, &at, &line))
    count++;
  CHECK(count == 5 && at == sizeof block - 1);
  CHECK(header_find(block, sizeof block - 1, "SET-COOKIE", &line));
  CHECK(line.value_length == 6 && memcmp(line.value, "a=b; c", 6) == 0);
  CHECK(header_find(block, sizeof block - 1, "empty", &line) && line.value_length == 0);
  CHECK(header_find(block, sizeof block - 1, "url", &line) && line.value_length == 11);
  CHECK(!header_find(block, sizeof block - 1, "HTTP/1.1 200 OK", &line));
  CHECK(!header_find(block, sizeof block - 1, "folded", &line));
  CHECK(!header_find("", 0, "a", &line) && header_find("A:b", 3, "a", &line) && line.value_length == 1);
}

static struct uri *parse (const char *text) {
  const char *why;
  return uri_parse(&checked_memory, text, strlen(text), &why);
}

static void check_refused (const char *text, size_t length, const char *expected) {
  const char *why = "";
  struct uri *u = uri_parse(&checked_memory, text, length, &why);
  CHECK(u == NULL);
  CHECK_TEXT(why, expected);
  uri_release(u);
}

static void check_read (const char *text, const char *normal, const char *origin) {
  struct uri *u = parse(text);
  if (!CHECK(u != NULL)) return;
  CHECK_TEXT(uri_text(u), normal);
  CHECK_TEXT(uri_origin(u), origin);
  uri_release(u);
}

#define REFUSED(text, why) check_refused((text), sizeof(text) - 1, (why))

void uris_are_read_and_refused (void) {
  check_read("http://Host", "http://host/", "http://host:80");
  check_read("HTTPS://h:443/A b?c=d#e", "https://h/A%20b?c=d", "https://h:443");
  check_read("http://h:8080/a/../b/./c", "http://h:8080/b/c", "http://h:8080");
  check_read("http://[::1]:80/", "http://[::1]/", "http://[::1]:80");
  check_read("http://[::1]:81?q", "http://[::1]:81/?q", "http://[::1]:81");
  REFUSED("", "is not http or https");
  REFUSED("/path", "is not http or https");
  REFUSED("host/path", "is not http or https");
  REFUSED("ftp://h/", "is not http or https");
  REFUSED("file:///etc/passwd", "is not http or https");
  REFUSED("javascript:alert(1)", "is not http or https");
  REFUSED("http://user:pw@h/", "holds a user name or password: pass them to login instead");
  REFUSED("http://user@h/", "holds a user name or password: pass them to login instead");
  REFUSED("http://h:99999/", "has a bad port");
  REFUSED("http://h:x/", "has a bad port");
  REFUSED("http://h/a\r\nb", "holds a control character");
  REFUSED("http://h/a\0b", "holds a control character");
  REFUSED("http://h h/", "has a bad host name");
  REFUSED("http:///path", "has no host");
  REFUSED("http:/path", "has no host");
  REFUSED("http://", "has no host");
  REFUSED("http://?q", "has no host");
  REFUSED("http://:80/", "has no host");
  for (unsigned long n = 1; n <= 2; n++) {
    check_fail_at(n, true);
    REFUSED("http://h/", "not enough memory");
  }
  check_fail_at(0, false);
}

static void check_resolved (const char *base, const char *reference, const char *expected) {
  const char *why = "";
  struct uri *from = parse(base), *to = uri_resolve(from, reference, strlen(reference), &why);
  CHECK_TEXT(to ? uri_text(to) : why, expected);
  uri_release(to);
  uri_release(from);
}

/* RFC 3986, 5.4 */
void uris_resolve_as_rfc_3986_says (void) {
  static const char *const examples[][2] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g:h", "is not http or https"},
      {"https://other:1/x", "https://other:1/x"},
      {"//u:p@g", "holds a user name or password: pass them to login instead"},
      {"a b", "http://a/b/c/a%20b"},
  };
  for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
    check_resolved("http://a/b/c/d;p?q", examples[i][0], examples[i][1]);
  check_resolved("https://a/b", "//g:1/x", "https://g:1/x");
}

static bool within (const char *base, const char *text) {
  struct uri *a = parse(base), *b = parse(text);
  bool yes = uri_within(a, b);
  uri_release(a);
  uri_release(b);
  return yes;
}

static bool same_origin (const char *one, const char *other) {
  struct uri *a = parse(one), *b = parse(other);
  bool yes = uri_same_origin(a, b);
  uri_release(a);
  uri_release(b);
  return yes;
}

static void check_appended (const char *base, const char *path, const char *expected) {
  struct uri *a = parse(base), *b = uri_append(a, path);
  CHECK_TEXT(b ? uri_text(b) : "", expected);
  uri_release(b);
  uri_release(a);
}

/* True if a second call returns the first one's URI, also when `meanwhile` was requested between. */
static bool is_kept (const char *base, const char *path, const char *meanwhile) {
  struct uri *a = parse(base), *first = uri_append(a, path), *other = uri_append(a, meanwhile);
  struct uri *second = uri_append(a, path);
  bool kept = first == second;
  CHECK_TEXT(uri_text(second), uri_text(first));
  CHECK(strcmp(uri_text(other), uri_text(first)) != 0);
  uri_release(first);
  uri_release(other);
  uri_release(a);
  uri_release(second); /* outlives its base */
  return kept;
}

void appended_uris_are_kept (void) {
  char path[16];
  struct uri *base = parse("http://h/App");
  CHECK(is_kept("http://h/App", "/x", "/xy") && is_kept("http://h/App/", "/x/y", "/x"));
  CHECK(!is_kept("http://h/App", "/x?token=t", "/x") && !is_kept("http://h/App", "/x;t=1", "/x"));
  CHECK(!is_kept("http://h/long/path", "/../../x", "/x") && !is_kept("http://h/App", "/a b", "/a"));
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < 20; i++) {
      snprintf(path, sizeof path, "/%d", i);
      struct uri *u = uri_append(base, path);
      CHECK_TEXT(uri_text(u) + strlen("http://h/App"), path);
      uri_release(u);
    }
  uri_release(base);
}

static struct uri *resolve_kept (struct uri *base, const char *text) {
  const char *why = NULL;
  struct uri *u = uri_resolve_kept(base, text, strlen(text), &why);
  CHECK(u || why);
  return u;
}

static bool resolves_to_kept (const char *text) {
  struct uri *base = parse("http://h/App/"), *first = resolve_kept(base, text), *second;
  struct uri *other = resolve_kept(base, "http://h/other");
  second = resolve_kept(base, text);
  bool kept = first == second;
  CHECK_TEXT(uri_text(second), uri_text(first));
  CHECK(strcmp(uri_text(other), uri_text(first)) != 0);
  uri_release(first);
  uri_release(other);
  uri_release(base);
  uri_release(second);
  return kept;
}

void resolved_uris_are_kept (void) {
  struct uri *base = parse("http://h/App/");
  CHECK(resolves_to_kept("http://h/other/x") && resolves_to_kept("https://else/x"));
  CHECK(!resolves_to_kept("http://h/x?token=t") && !resolves_to_kept("http://h/x;t=1"));
  CHECK(!resolves_to_kept("x") && !resolves_to_kept("HTTP://h/x") && !resolves_to_kept("http://h/a/../x"));
  CHECK(!resolve_kept(base, "http://user@h/x") && !resolve_kept(base, "http://h/\n"));
  uri_release(base);
}

void resolved_uris_are_not_taken_for_appended_ones (void) {
  struct uri *base = parse("http://h/App"), *longer = resolve_kept(base, "http://x/App/y");
  struct uri *shorter = resolve_kept(base, "http://x"), *appended = uri_append(base, "/y");
  CHECK_TEXT(uri_text(appended), "http://h/App/y");
  uri_release(longer);
  uri_release(shorter);
  uri_release(appended);
  uri_release(base);
}

void uris_know_origin_and_place (void) {
  CHECK(same_origin("http://h/a", "HTTP://H:80/b?c"));
  CHECK(!same_origin("http://h/", "https://h/") && !same_origin("http://h/", "http://h:81/"));
  CHECK(!same_origin("http://h/", "http://h.evil/") && !same_origin("https://h/", "http://h:443/"));
  CHECK(within("http://h/App", "http://h/App") && within("http://h/App", "http://h/App/x?y"));
  CHECK(within("http://h/App/", "http://h/App") && within("http://h/App//", "http://h/App/x"));
  CHECK(within("http://h/App", "http://h/App;p=1/x") && within("http://h", "http://h/x"));
  CHECK(!within("http://h/App", "http://h/App2") && !within("http://h/App", "http://h/app"));
  CHECK(!within("http://h/App", "http://h/App/../x") && !within("http://h/App", "http://h/"));
  CHECK(!within("http://h/App", "http://h/App/%2E%2e/x") && !within("http://h/App", "http://i/App"));
  check_appended("http://h/App", "/static/x", "http://h/App/static/x");
  check_appended("http://h/App///?q=1", "/x?y=z", "http://h/App/x?y=z");
  check_appended("http://h", "/x", "http://h/x");
  struct uri *u = parse("https://h/");
  CHECK(uri_is_https(u) && uri_handle(u) != NULL && uri_keep(u) == u && uri_keep(NULL) == NULL);
  uri_release(u);
  check_fail_at(1, true);
  CHECK(uri_append(u, "/x") == NULL);
  check_fail_at(0, false);
  uri_release(u);
  uri_release(NULL);
}

static void check_public (const char *text, const char *expected) {
  struct uri *u = parse(text);
  CHECK_TEXT(uri_public_text(u), expected);
  uri_release(u);
}

void uris_hide_secrets (void) {
  check_public("http://h/a/b", "http://h/a/b");
  check_public("http://h/a?token=1", "http://h/a");
  check_public("http://h/a;JSESSIONID=1/b;c?d;e", "http://h/a/b");
  check_public("http://h/?t", "http://h/");
}

static void no_op (struct timer *timer, void *context) {
  (void)timer, (void)context;
}

enum { TIMERS = 200 };

static void set_in_disorder (struct timers *t, struct timer *timers) {
  for (unsigned i = 0; i < TIMERS; i++) {
    timers[i] = (struct timer){0, 0, no_op};
    CHECK(timers_set(t, &timers[i], (double)(i * 7919 % 199)));
  }
  for (unsigned i = 0; i < TIMERS; i += 3)
    CHECK(timers_set(t, &timers[i], (double)(i * 31 % 57)));
  for (unsigned i = 1; i < TIMERS; i += 5)
    timers_clear(t, &timers[i]);
}

void timers_fire_in_order (void) {
  struct timers t;
  struct timer timers[TIMERS], *timer;
  double last = -1;
  size_t count = 0;
  timers_init(&t, &checked_memory);
  CHECK(timers_next(&t) < 0 && timers_due(&t, 1e9) == NULL);
  set_in_disorder(&t, timers);
  CHECK(timers_due(&t, -1) == NULL);
  while ((timer = timers_due(&t, 1e9))) {
    if (!(timer->when >= last && timer->place == 0)) CHECK(false);
    last = timer->when;
    count++;
  }
  CHECK(count == TIMERS - TIMERS / 5 && t.count == 0);
  timers_clear(&t, &timers[0]);
  CHECK(timers_set(&t, &timers[0], 5) && timers_next(&t) == 5);
  timers_cleanup(&t);
  CHECK(timers[0].place == 0);
  check_fail_at(1, true);
  CHECK(!timers_set(&t, &timers[0], 5) && timers[0].place == 0);
  check_fail_at(0, false);
  double now = clock_now();
  CHECK(clock_now() >= now);
}

/* Sets, moves and removes timers at random; true if the rest fires in order. */
static bool fire_in_order (struct timers *t, struct timer *timers, unsigned *random) {
  enum { CHANGES = 60, FEW = 24 };
  size_t left = 0;
  double last = -1;
  bool in_order = true;
  for (unsigned i = 0; i < FEW; i++)
    timers[i] = (struct timer){0, 0, no_op};
  for (unsigned i = 0; i < CHANGES; i++) {
    struct timer *timer;
    *random = *random * 1103515245 + 12345;
    timer = &timers[(*random >> 16) % FEW];
    if (timer->place && *random >> 30)
      timers_clear(t, timer);
    else
      in_order = timers_set(t, timer, (double)((*random >> 8) % 1000)) && in_order;
  }
  for (unsigned i = 0; i < FEW; i++)
    left += timers[i].place > 0;
  for (struct timer *timer; (timer = timers_due(t, 1e9)); left--) {
    in_order = in_order && timer->when >= last;
    last = timer->when;
  }
  return in_order && !left;
}

void timers_fire_in_order_after_changes (void) {
  struct timers t;
  struct timer timers[TIMERS];
  unsigned random = 1;
  bool in_order = true;
  timers_init(&t, &checked_memory);
  for (unsigned i = 0; i < 1000; i++)
    in_order = fire_in_order(&t, timers, &random) && in_order;
  CHECK(in_order);
  timers_cleanup(&t);
}

void host_queues_are_bounded (void) {
  struct host_queues queues;
  host_queues_init(&queues, &checked_memory);
  for (int i = 0; i < 3000; i++) {
    char text[64];
    const char *why;
    int length = snprintf(text, sizeof text, "http://host-%d/", i);
    struct uri *u = uri_parse(&checked_memory, text, (size_t)length, &why);
    struct host_queue *host = host_queues_find(&queues, u, 1);
    if (host) host_queues_tidy(&queues, host);
    uri_release(u);
  }
  CHECK(queues.count > 0 && queues.count <= HOST_QUEUE_SLOTS);
  host_queues_cleanup(&queues);
}

void transport_has_defaults (void) {
  struct transport *t = transport_new(&checked_memory), *other = transport_new(&checked_memory);
  CHECK(t->connect_timeout == 10 && t->timeout == 30 && t->stall_timeout == 0);
  CHECK(t->max_response == (size_t)64 << 20 && t->max_redirects == 5 && !t->insecure &&
        !t->environment_proxy);
  CHECK(transport_same_connection(t, t) && transport_same_connection(t, other) && transport_same(t, other));
  CHECK(transport_set(t, &t->proxy, "http://a") && transport_set(t, &t->proxy, "http://b"));
  CHECK_TEXT(t->proxy, "http://b");
  CHECK(!transport_same_connection(t, other));
  CHECK(transport_set(other, &other->proxy, "http://b") && transport_same_connection(t, other));
  other->timeout = 1;
  CHECK(transport_same_connection(t, other) && !transport_same(t, other));
  other->timeout = t->timeout;
  CHECK(transport_same(t, other));
  other->insecure = true;
  CHECK(!transport_same_connection(t, other));
  check_fail_at(1, true);
  CHECK(!transport_set(t, &t->proxy, "http://c"));
  CHECK_TEXT(t->proxy, "http://b");
  CHECK(transport_new(&checked_memory) == NULL);
  check_fail_at(0, false);
  CHECK(transport_set(t, &t->proxy, NULL) && t->proxy == NULL);
  CHECK(transport_keep(t) == t && transport_keep(NULL) == NULL);
  transport_release(t);
  transport_release(t);
  transport_release(other);
  transport_release(NULL);
  setenv("all_proxy", "http://127.0.0.1:1", 1);
  t = transport_new(&checked_memory);
  CHECK(t->environment_proxy);
  transport_release(t);
  unsetenv("all_proxy");
}

void failures_have_names (void) {
  for (int f = FAILURE_NONE; f <= FAILURE_MEMORY; f++)
    CHECK(curl_failure_name((enum failure)f)[0] != '\0');
  CHECK_TEXT(curl_failure_name((enum failure)99), "unknown failure");
  struct exchange x = {0};
  curl_failure_note(&x, FAILURE_PROTOCOL, NULL, "%s", "a\r\nb\x7f\x1b[31m c");
  CHECK_TEXT(x.response.detail, "ab[31m c");
}

static bool writes (double value, const char *expected) {
  char text[NUMBER_SIZE];
  size_t length = number_write(text, value);
  return length == strlen(expected) && !strcmp(text, expected);
}

static bool rounds (double value, int digits, const char *expected) {
  char text[NUMBER_SIZE];
  return !strcmp(number_round(text, value, digits), expected);
}

static bool writes_integer (long long n, const char *expected) {
  char text[NUMBER_SIZE];
  return number_write_integer(text, n) == strlen(expected) && !strcmp(text, expected);
}

void integers_are_written (void) {
  CHECK(writes_integer(0, "0") && writes_integer(7, "7") && writes_integer(-10, "-10"));
  CHECK(writes_integer(LLONG_MAX, "9223372036854775807") &&
        writes_integer(LLONG_MIN, "-9223372036854775808"));
}

void numbers_fit_their_digits (void) {
  CHECK(number_fits(0, 1) && number_fits(-0.5, 1) && number_fits(1.25, 3) && !number_fits(1.25, 2));
  CHECK(number_fits(99999999.999999, 14) && !number_fits(99999999.999999, 13));
  CHECK(number_fits(12345678901.234, 14) && !number_fits(0.1 + 0.2, 16) && number_fits(0.1 + 0.2, 17));
  CHECK(number_fits(1e300, 1) && number_fits(-1e-300, 14) && !number_fits(1.0 / 3, 14));
}

void numbers_are_written (void) {
  CHECK(writes(0, "0") && writes(-0.0, "0") && writes(3, "3") && writes(-1.5, "-1.5"));
  CHECK(writes(0.1, "0.1") && writes(0.1 + 0.2, "0.30000000000000004") &&
        writes(1.0 / 3, "0.3333333333333333"));
  CHECK(writes(1e-6, "0.000001") && writes(1e-7, "1e-7") && writes(-1.25e-7, "-1.25e-7"));
  CHECK(writes(1e20, "100000000000000000000") && writes(1e21, "1e+21") && writes(-1e21, "-1e+21"));
  CHECK(writes(18446744073709551616.0, "18446744073709551616") &&
        writes(1.7976931348623157e308, "1.7976931348623157e+308"));
  CHECK(writes((double)NAN, "") && writes(HUGE_VAL, "") && writes(-HUGE_VAL, ""));
  CHECK(rounds(2, 3, "2") && rounds(0.25, 3, "0.25") && rounds(1234.5, 3, "1230") &&
        rounds(0.0004567, 2, "0.00046"));
  CHECK(rounds(1e300, 3, "1e+300") && rounds(0, 3, "0") && rounds(-0.5, 14, "-0.5"));
  CHECK(rounds((double)NAN, 3, "nan") && rounds(HUGE_VAL, 3, "inf") && rounds(-HUGE_VAL, 3, "-inf"));
}

static bool encodes (const char *text, size_t length, const char *marks, const char *expected) {
  char room[16 * PERCENT_MOST];
  size_t n = percent_encode(room, text, length, marks);
  return n == strlen(expected) && !memcmp(room, expected, n);
}

void bytes_are_percent_encoded (void) {
  char all[256], coded[256 * PERCENT_MOST];
  size_t i, n, escapes = 0;
  CHECK(encodes("", 0, "", ""));
  CHECK(encodes("aZ09", 4, "", "aZ09"));
  CHECK(encodes("a b\0/%\xC3\xA9~", 9, PERCENT_UNRESERVED, "a%20b%00%2F%25%C3%A9~"));
  CHECK(encodes("-_.~!*'()", 9, PERCENT_UNRESERVED, "-_.~%21%2A%27%28%29"));
  CHECK(encodes("-_.~!*'()", 9, PERCENT_COMPONENT, "-_.~!*'()"));
  for (i = 0; i < 256; i++)
    all[i] = (char)i;
  n = percent_encode(coded, all, 256, "");
  for (i = 0; i < n; i++)
    escapes += coded[i] == '%';
  CHECK(escapes == 256 - 62 && n == 62 + escapes * 3);
}
