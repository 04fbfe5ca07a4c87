#include "protocol/btt/cookies.h"

#include "net/ascii.h"
#include "net/headers.h"

#include <string.h>

void cookies_init (struct cookies *c, const struct allocator *memory) {
  memset(c, 0, sizeof *c);
  c->memory = memory;
}

void cookies_clear (struct cookies *c) {
  while (c->first) {
    struct cookie *one = c->first;
    c->first = one->next;
    memory_wipe_free(c->memory, one, one->size);
  }
  c->count = c->bytes = 0;
}

static bool is_control (char byte) {
  return (unsigned char)byte < ' ' || byte == 127;
}

static bool is_blank (char byte) {
  return byte == ' ' || byte == '\t';
}

/*
** True if the text holds neither a control byte nor a byte of `not`: those would end a name, a value or the
** line.
*/
static bool is_clean (const char *text, size_t length, const char * not ) {
  size_t i;
  for (i = 0; i < length; i++)
    if (is_control(text[i]) || strchr(not, text[i])) return false;
  return true;
}

/* The pointer to the cookie of that name, or the NULL pointer at the list's end. */
static struct cookie **find (struct cookies *c, const char *name, size_t length) {
  struct cookie **place = &c->first;
  while (*place && ((*place)->name_length != length || memcmp((*place)->text, name, length) != 0))
    place = &(*place)->next;
  return place;
}

const struct cookie *cookies_find (const struct cookies *c, const char *name, size_t length) {
  const struct cookie *one = c->first;
  while (one && (one->name_length != length || memcmp(one->text, name, length) != 0))
    one = one->next;
  return one;
}

enum cookies_result cookies_set (struct cookies *c, const char *name, size_t name_length, const char *value,
                                 size_t value_length) {
  size_t size = name_length + value_length, former;
  struct cookie **place, *old, *one;
  if (!name_length || !is_clean(name, name_length, "=;, \t") || !is_clean(value, value_length, ";"))
    return COOKIES_BAD;
  place = find(c, name, name_length);
  old = *place;
  former = old ? old->name_length + old->value_length : 0;
  if ((!old && c->count >= COOKIES_MOST) || size > COOKIES_MOST_BYTES ||
      c->bytes - former > COOKIES_MOST_BYTES - size)
    return COOKIES_FULL;
  one = memory_new(c->memory, sizeof *one + size + 1);
  if (!one) return COOKIES_NO_MEMORY;
  one->size = sizeof *one + size + 1;
  one->name_length = name_length;
  one->value_length = value_length;
  memcpy(one->text, name, name_length);
  memcpy(one->text + name_length, value, value_length);
  c->bytes += size - former;
  *place = one;
  if (old) {
    one->next = old->next;
    memory_wipe_free(c->memory, old, old->size);
  } else
    c->count++;
  return COOKIES_OK;
}

struct pair {
  const char *name, *value;
  size_t name_length, value_length;
};

static void trim (const char **text, size_t *length) {
  while (*length && is_blank(**text))
    ++*text, --*length;
  while (*length && is_blank((*text)[*length - 1]))
    --*length;
}

/* Reads the next Set-Cookie from *at on; skips one without a name. False: no more. */
static bool next_pair (const char *block, size_t length, size_t *at, struct pair *p) {
  struct header_line line;
  while (header_next(block, length, at, &line)) {
    const char *end, *equals;
    if (line.name_length != 10 || !ascii_same_start(line.name, "Set-Cookie", 10)) continue;
    end = memchr(line.value, ';', line.value_length);
    if (!end) end = line.value + line.value_length;
    equals = memchr(line.value, '=', (size_t)(end - line.value));
    if (!equals) continue;
    p->name = line.value;
    p->name_length = (size_t)(equals - line.value);
    p->value = equals + 1;
    p->value_length = (size_t)(end - p->value);
    trim(&p->name, &p->name_length);
    trim(&p->value, &p->value_length);
    if (p->name_length) return true;
  }
  return false;
}

/* Copies without control bytes; returns the length of the copy. */
static size_t copy_clean (char *to, const char *text, size_t length) {
  size_t i, n = 0;
  for (i = 0; i < length; i++)
    if (!is_control(text[i])) to[n++] = text[i];
  return n;
}

static enum cookies_result take (struct cookies *c, const struct pair *p) {
  size_t size = p->name_length + p->value_length, name, value;
  enum cookies_result result;
  char *clean;
  if (size > COOKIES_MOST_BYTES) return COOKIES_FULL;
  if (is_clean(p->name, p->name_length, "") && is_clean(p->value, p->value_length, ""))
    return cookies_set(c, p->name, p->name_length, p->value, p->value_length);
  clean = memory_new(c->memory, size);
  if (!clean) return COOKIES_NO_MEMORY;
  name = copy_clean(clean, p->name, p->name_length);
  value = copy_clean(clean + name, p->value, p->value_length);
  result = cookies_set(c, clean, name, clean + name, value);
  memory_wipe_free(c->memory, clean, size);
  return result;
}

enum cookies_result cookies_take (struct cookies *c, const char *block, size_t length) {
  enum cookies_result worst = COOKIES_OK, result;
  struct pair p;
  size_t at = 0;
  while (next_pair(block, length, &at, &p)) {
    result = take(c, &p);
    if (result > worst) worst = result;
  }
  return worst;
}

bool cookies_sets (const char *block, size_t length, const char *name) {
  size_t at = 0, name_length = strlen(name);
  struct pair p;
  while (next_pair(block, length, &at, &p))
    if (p.name_length == name_length && p.value_length && !memcmp(p.name, name, name_length)) return true;
  return false;
}

bool cookies_write (const struct cookies *c, struct buffer *line) {
  const struct cookie *one;
  for (one = c->first; one; one = one->next)
    if ((one != c->first && buffer_add(line, "; ", 2) != BUFFER_OK) ||
        buffer_add(line, one->text, one->name_length) != BUFFER_OK || buffer_add(line, "=", 1) != BUFFER_OK ||
        buffer_add(line, one->text + one->name_length, one->value_length) != BUFFER_OK)
      return false; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  return true;
}
