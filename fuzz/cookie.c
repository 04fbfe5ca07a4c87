/* Cookies from a store: only lines of a cookie file, and only those of the host, come into a jar. */
#include "net/jar.h"
#include "support.h"

static struct jars jars;
static const char host[] = "app.example.com";

/* The export holds what goes to the host, and each of its lines comes in again. */
static void check_export (struct jar *jar) {
  struct curl_slist *lines = NULL, *line;
  fuzz_check(jar_export(jar, host, &lines), "there is memory");
  for (line = lines; line; line = line->next) {
    struct jar *other = jar_new(&jars);
    fuzz_check(strstr(line->data, "example.com") || strstr(line->data, "com\t") ||
                   strcasestr(line->data, "com"),
               "a cookie that was taken in is one for the host");
    jar_import(other, host, line->data);
    jar_release(other);
  }
  curl_slist_free_all(lines);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  struct jar *jar;
  char *text = fuzz_text(data, size), *rest = text;
  jars_init(&jars, &fuzz_memory, 1);
  jar = jar_new(&jars);
  while (rest < text + size) {
    size_t length = strlen(rest);
    if (jar_import(jar, host, rest)) fuzz_check(jar_has_cookies(jar), "a jar that took a line has cookies");
    rest += length + 1;
  }
  check_export(jar);
  fuzz_check(jar_clear(jar), "there is memory");
  jar_release(jar);
  jars_cleanup(&jars);
  free(text);
  return 0;
}
