/* URIs: parsed, resolved, extended. The shown form hides secrets; a parsed URI parses to itself. */
#include "net/uri.h"
#include "support.h"

static void check_uri (const struct uri *u) {
  const char *why = NULL, *text = uri_text(u), *shown = uri_public_text(u), *origin = uri_origin(u);
  fuzz_check(!strchr(shown, '?') && !strchr(shown, '#') && !strchr(shown, ';'),
             "what is shown has no query and no parameters");
  fuzz_check(!strpbrk(text, " \r\n\t"), "what is sent has no blanks");
  size_t scheme = uri_is_https(u) ? 8 : 7;
  fuzz_check(!strncmp(text, origin, scheme), "the text begins with the origin's scheme");
  fuzz_check(!memchr(text + scheme, '@', strcspn(text + scheme, "/?")), "no user is in it");
  struct uri *again = uri_parse(&fuzz_memory, text, strlen(text), &why);
  fuzz_check(again != NULL, "what was parsed parses");
  fuzz_check(!strcmp(uri_text(again), text), "to itself");
  fuzz_check(uri_same_origin(again, u) && uri_within(u, again), "and is within itself");
  uri_release(again);
}

static void try (struct uri *u) {
  if (u) check_uri(u);
  uri_release(u);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const char root[] = "https://user.example:8443/App/deep;p=1?q=1";
  char *text = fuzz_text(data, size);
  const char *why = NULL, *cut = memchr(text, '\n', size);
  size_t first = cut ? (size_t)(cut - text) : size;
  struct uri *base = uri_parse(&fuzz_memory, root, strlen(root), &why);
  struct uri *u = uri_parse(&fuzz_memory, text, first, &why);
  fuzz_check(u || why, "a refusal says why");
  try(uri_resolve(base, text, size, &why));
  if (u && cut) try(uri_resolve(u, cut + 1, size - first - 1, &why));
  if (*text == '/' && strlen(text) == size) uri_release(uri_append(base, text));
  try(u);
  uri_release(base);
  free(text);
  return 0;
}
