#include "net/utf8.h"

/* The length of the character at `p`, which has `left` bytes; 0: not valid. */
static size_t character_length (const unsigned char *p, size_t left) {
  static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t n = *p < 0x80 ? 1 : *p < 0xC0 ? 0 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : *p < 0xF8 ? 4 : 0, i;
  unsigned code;
  if (n < 2 || n > left) return n > left ? 0 : n;
  code = *p & (0x7Fu >> n);
  for (i = 1; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) return 0;
    code = code << 6 | (p[i] & 0x3Fu);
  }
  return code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : n;
}

bool utf8_is_valid (const char *text, size_t length) {
  const unsigned char *p = (const unsigned char *)text;
  size_t at = 0, n;
  for (; at < length; at += n) {
    n = p[at] < 0x80 ? 1 : character_length(p + at, length - at);
    if (!n) return false;
  }
  return true;
}
