/* Cookies from a store: only lines of a cookie file, and only those of the host, come into a jar. */
#include "net/cookie_jar.h"
#include "support.h"

static struct cookie_jars jars;
static const char host[] = "app.example.com";

static bool has_line (const struct curl_slist *lines, const char *text) {
  for (; lines; lines = lines->next)
    if (!strcmp(lines->data, text)) return true;
  return false;
}

/* True if it has no expiry, so that it does not end meanwhile. */
static bool stays (const char *line) {
  int tabs;
  for (tabs = 0; tabs < 4; tabs++)
    line = strchr(line, '\t') + 1;
  return strtoll(line, NULL, 10) == 0;
}

/* Each of the lines comes in again; each of these jars makes the last one put its cookies away. */
static void import_each (const struct curl_slist *lines) {
  for (; lines; lines = lines->next) {
    struct cookie_jar *other = cookie_jar_new(&jars);
    fuzz_check(strcasestr(lines->data, "com") != NULL, "a cookie that was taken in is one for the host");
    cookie_jar_import(other, host, lines->data);
    cookie_jar_release(other);
  }
}

/* The export holds what goes to the host, before it is put away and after. */
static void check_export (struct cookie_jar *jar) {
  struct curl_slist *lines = NULL, *again = NULL, *line;
  fuzz_check(cookie_jar_export(jar, host, &lines), "there is memory");
  import_each(lines);
  fuzz_check(cookie_jar_export(jar, host, &again), "there is memory");
  for (line = lines; line; line = line->next)
    fuzz_check(!stays(line->data) || has_line(again, line->data), "what was put away comes back");
  curl_slist_free_all(lines);
  curl_slist_free_all(again);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  struct cookie_jar *jar;
  char *text = fuzz_text(data, size), *rest = text;
  cookie_jars_init(&jars, &fuzz_memory, 1);
  jar = cookie_jar_new(&jars);
  while (rest < text + size) {
    size_t length = strlen(rest);
    if (cookie_jar_import(jar, host, rest))
      fuzz_check(cookie_jar_has_cookies(jar), "a jar that took a line has cookies");
    rest += length + 1;
  }
  check_export(jar);
  fuzz_check(cookie_jar_clear(jar), "there is memory");
  cookie_jar_release(jar);
  cookie_jars_cleanup(&jars);
  free(text);
  return 0;
}
