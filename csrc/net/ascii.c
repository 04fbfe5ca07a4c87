#include "net/ascii.h"

#include <string.h>

bool ascii_same_start (const char *a, const char *b, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i])) return false;
    if (!a[i]) return true;
  }
  return true;
}

bool ascii_same (const char *a, const char *b) {
  return ascii_same_start(a, b, strlen(a) + 1);
}

const char *ascii_find (const char *text, const char *what) {
  size_t length = strlen(what);
  for (; *text; text++)
    if (ascii_lower(*text) == *what && ascii_same_start(text, what, length)) return text;
  return NULL;
}
