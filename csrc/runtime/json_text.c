#include "runtime/json_text.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 64, LONGEST_NUMBER = 20, LONGEST_EXPONENT = 2 };

/*
** Bytes that a string may contain unescaped. UTF-8 never contains the bytes beyond ASCII that are left out.
*/
#define NONE 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define ALL 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
/* clang-format off */
static const unsigned char plain[256] = {
  NONE, NONE,
  1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* not " */
  ALL, ALL,
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* not the backslash */
  ALL, ALL, ALL, ALL, ALL, ALL,
  0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* not C0, C1 */
  ALL, ALL,
  1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* not F5 and beyond */
};
/* clang-format on */
#undef NONE
#undef ALL

static bool is_hex (char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Reads the four digits of a \u escape at `p`. Negative: invalid. */
static long code_at (const struct json_text *t, const char *p) {
  char digits[5] = {0};
  size_t i;
  if (t->end - p < 4) return -1;
  for (i = 0; i < 4; i++) {
    if (!is_hex(p[i])) return -1;
    digits[i] = p[i];
  }
  return strtol(digits, NULL, 16);
}

/*
** Reads an escape after its backslash. False, too, for the character 0 and half a surrogate pair: a decoder
** must judge these.
*/
static bool escape (struct json_text *t) {
  const char *p = t->at;
  long code;
  if (p == t->end) return false;
  if (*p != 'u') {
    t->at = p + 1;
    return *p && strchr("\"\\/bfnrt", *p);
  }
  code = code_at(t, p + 1);
  if (code <= 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
  p += 5;
  if (code >= 0xD800 && code < 0xDC00) {
    if (t->end - p < 6 || memcmp(p, "\\u", 2)) return false;
    code = code_at(t, p + 2);
    if (code < 0xDC00 || code > 0xDFFF) return false;
    p += 6;
  }
  t->at = p;
  return true;
}

bool json_string (struct json_text *t, struct json_word *word) {
  const char *p = t->at;
  if (p == t->end || *p != '"') return false;
  t->at = ++p;
  for (;;) {
    while (p < t->end && plain[(unsigned char)*p])
      p++;
    if (p < t->end && *p == '"') break;
    if (p == t->end || *p != '\\' || word) return false;
    t->at = p + 1;
    if (!escape(t)) return false;
    p = t->at;
  }
  if (word) {
    word->at = t->at;
    word->length = (size_t)(p - t->at);
  }
  t->at = p + 1;
  return true;
}

void json_space (struct json_text *t) {
  const char *p = t->at;
  while (p < t->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  t->at = p;
}

bool json_take (struct json_text *t, char c) {
  if (t->at == t->end || *t->at != c) return false;
  t->at++;
  return true;
}

static bool literal (struct json_text *t, const char *word, size_t length) {
  if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length)) return false;
  t->at += length;
  return true;
}

bool json_null (struct json_text *t) {
  return literal(t, "null", 4);
}

bool json_boolean (struct json_text *t) {
  return literal(t, "true", 4) || literal(t, "false", 5);
}

static bool digits (struct json_text *t) {
  const char *start = t->at;
  while (t->at < t->end && *t->at >= '0' && *t->at <= '9')
    t->at++;
  return t->at > start;
}

bool json_number (struct json_text *t) {
  const char *start = t->at, *exponent;
  json_take(t, '-');
  if (!json_take(t, '0') && !digits(t)) return false;
  if (json_take(t, '.') && !digits(t)) return false;
  if (json_take(t, 'e') || json_take(t, 'E')) {
    if (!json_take(t, '-')) json_take(t, '+');
    exponent = t->at;
    if (!digits(t) || (t->strict && t->at - exponent > LONGEST_EXPONENT)) return false;
  }
  return !t->strict || t->at - start <= LONGEST_NUMBER;
}

bool json_colon (struct json_text *t) {
  json_space(t);
  if (!json_take(t, ':')) return false;
  json_space(t);
  return true;
}

bool json_enter (struct json_text *t, char opening, char closing, bool *empty) {
  if (!json_take(t, opening) || ++t->depth > DEEPEST) return false;
  json_space(t);
  *empty = json_take(t, closing);
  if (*empty) t->depth--;
  return true;
}

bool json_go_on (struct json_text *t, char closing, bool *ended) {
  json_space(t);
  *ended = !json_take(t, ',');
  if (*ended) {
    t->depth--;
    return json_take(t, closing);
  }
  json_space(t);
  return true;
}

static bool array (struct json_text *t) {
  bool ended;
  if (!json_enter(t, '[', ']', &ended)) return false;
  while (!ended)
    if (!json_any(t) || !json_go_on(t, ']', &ended)) return false;
  return true;
}

static bool object (struct json_text *t) {
  bool ended;
  if (!json_enter(t, '{', '}', &ended)) return false;
  while (!ended)
    if (!json_string(t, NULL) || !json_colon(t) || !json_any(t) || !json_go_on(t, '}', &ended)) return false;
  return true;
}

bool json_any (struct json_text *t) {
  switch (t->at < t->end ? *t->at : 0) {
  case '"': return json_string(t, NULL);
  case '{': return object(t);
  case '[': return array(t);
  case 't':
  case 'f': return json_boolean(t);
  case 'n': return json_null(t);
  default: return json_number(t);
  }
}

/* The quote that closes the string opened at `p`; NULL: the text ends before. */
static const char *closing_quote (const char *p, const char *end) {
  const char *quote = p, *slash;
  do {
    quote = memchr(quote + 1, '"', (size_t)(end - quote - 1));
    if (!quote) return NULL;
    for (slash = quote; slash[-1] == '\\'; slash--)
      ;
  } while ((quote - slash) % 2);
  return quote;
}

bool json_skip (struct json_text *t) {
  const char *p;
  unsigned depth = t->depth;
  for (p = t->at; p < t->end; p++) {
    if (*p == '"') {
      p = closing_quote(p, t->end);
      if (!p) return false;
    } else if (*p == '{' || *p == '[') {
      if (++depth > DEEPEST) return false;
    } else if (*p == '}' || *p == ']') {
      if (--depth <= t->depth) break;
    }
  }
  if (p == t->end || depth != t->depth) return false;
  t->at = p + 1;
  return true;
}
