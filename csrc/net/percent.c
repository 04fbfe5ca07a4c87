#include "net/percent.h"

#include "net/ascii.h"

#include <string.h>

size_t percent_encode (char *to, const char *text, size_t length, const char *marks) {
  static const char hex[] = "0123456789ABCDEF";
  size_t i, n = 0;
  for (i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    if (ascii_is_alnum(text[i]) || (c && strchr(marks, c)))
      to[n++] = text[i];
    else {
      to[n++] = '%';
      to[n++] = hex[c >> 4];
      to[n++] = hex[c & 15];
    }
  }
  return n;
}
