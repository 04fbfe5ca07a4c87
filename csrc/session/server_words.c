#include "session/server_words.h"

#include "net/ascii.h"
#include "net/carried.h"
#include "runtime/compat.h"
#include "runtime/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Collects more than is shown, so that a secret is recognised as a whole before the text is shortened. */
struct words {
  char text[2048];
  size_t length;
};

static void add (struct words *w, const char *text, size_t length) {
  size_t room = sizeof w->text - w->length;
  if (length > room) length = room;
  if (length) memcpy(w->text + w->length, text, length);
  w->length += length;
}

/* Adds the value on top, popped, if it is a string. */
static void add_value (lua_State *L, struct words *w) {
  size_t length;
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
  if (text && length) {
    if (w->length) add(w, "; ", 2);
    add(w, text, length);
  }
  lua_pop(L, 1);
}

/* JSON */

static void add_field (lua_State *L, struct words *w, const char *name) {
  lua_getfield(L, -1, name);
  add_value(L, w);
}

/* Adds `_errors` of the object on top: a list of { _errorMsg, _errorNum }. */
static void add_errors (lua_State *L, struct words *w) {
  enum { MOST_ERRORS = 5 };
  int i;
  if (lua_getfield(L, -1, "_errors") == LUA_TTABLE) {
    for (i = 1; i <= MOST_ERRORS; i++) {
      if (lua_rawgeti(L, -1, i) == LUA_TTABLE) add_field(L, w, "_errorMsg");
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

/* Adds the first of the fields that other services use. `error` may be an object with a message. */
static void add_first (lua_State *L, struct words *w) {
  static const char *const names[] = {"error_description", "message", "detail", "title", "status_txt"};
  size_t i;
  if (lua_getfield(L, -1, "error") == LUA_TTABLE) {
    lua_getfield(L, -1, "message");
    lua_remove(L, -2);
  }
  add_value(L, w);
  for (i = 0; !w->length && i < sizeof names / sizeof *names; i++)
    add_field(L, w, names[i]);
}

static void read_object (lua_State *L, const struct exchange *x, struct words *w) {
  int top = lua_gettop(L);
  lua_pushlstring(L, x->response.body.data, x->response.body.length);
  if (json_decode(L) && lua_istable(L, -1)) {
    add_errors(L, w);
    add_field(L, w, "_retVal");
    if (!w->length) add_first(L, w);
  }
  lua_settop(L, top);
}

/* Pages */

static void add_code (lua_State *L, struct words *w, unsigned long code) {
  size_t length;
  const char *text;
  compat_pushutf8(L, code);
  text = lua_tolstring(L, -1, &length);
  add(w, text, length);
  lua_pop(L, 1);
}

/*
** Adds the character for the reference at `text`, after its '&'. Returns the length of the reference; 0: it
** is none.
*/
static size_t read_reference (lua_State *L, const char *text, size_t left, struct words *w) {
  static const char *const known[][2] = {{"amp;", "&"},   {"lt;", "<"},    {"gt;", ">"},
                                         {"quot;", "\""}, {"apos;", "'"},  {"nbsp;", " "},
                                         {"ndash;", "-"}, {"mdash;", "-"}, {"hellip;", "..."}};
  size_t i;
  long code;
  char *end;
  for (i = 0; i < sizeof known / sizeof *known; i++)
    if (strlen(known[i][0]) <= left && !memcmp(known[i][0], text, strlen(known[i][0]))) {
      add(w, known[i][1], strlen(known[i][1]));
      return strlen(known[i][0]);
    }
  if (left < 3 || *text != '#') return 0;
  code = text[1] == 'x' ? strtol(text + 2, &end, 16) : strtol(text + 1, &end, 10);
  if (*end != ';' || code < 1 || code > 0x10FFFF) return 0;
  add_code(L, w, (unsigned long)code);
  return (size_t)(end + 1 - text);
}

static const char *find_tag (const char *text, const char *end, const char *tag) {
  size_t length = strlen(tag);
  for (; (size_t)(end - text) > length; text++)
    if (*text == '<' && ascii_same_start(text, tag, length)) return text;
  return NULL;
}

/* Adds the text of the first element of that name. The body ends in a NUL. */
static void add_element (lua_State *L, const struct buffer *body, const char *opening, const char *closing,
                         struct words *w) {
  enum { FARTHEST = 65536 };
  const char *end = body->data + (body->length < FARTHEST ? body->length : FARTHEST);
  const char *at = find_tag(body->data, end, opening), *stop;
  if (at) at = memchr(at, '>', (size_t)(end - at));
  stop = at ? find_tag(at, end, closing) : NULL;
  for (at = at ? at + 1 : NULL; stop && at < stop; at++) {
    size_t used = *at == '&' ? read_reference(L, at + 1, (size_t)(stop - at - 1), w) : 0;
    if (!used) add(w, at, 1);
    at += used;
  }
}

static void read_page (lua_State *L, const struct buffer *body, struct words *w) {
  add_element(L, body, "<title", "</title", w);
  if (!w->length) add_element(L, body, "<h1", "</h1", w);
}

/* One line */

/*
** True if the second byte of a character fits: no overlong forms, surrogates, or code points above U+10FFFF.
*/
static bool is_second (unsigned char first, unsigned char second) {
  unsigned char least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned char most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= least && second <= most;
}

/* The number of bytes of the character; 0: invalid UTF-8, or an ASCII control character. */
static size_t character (const char *text, size_t left) {
  unsigned char c = (unsigned char)*text;
  size_t length = c < 0x80 ? 1 : c >= 0xF0 && c < 0xF5 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 0, i;
  if (c < ' ' || c == 0x7F || c >= 0xF5 || length > left) return 0;
  if (length > 1 && !is_second(c, (unsigned char)text[1])) return 0;
  for (i = 2; i < length; i++)
    if (((unsigned char)text[i] & 0xC0) != 0x80) return 0;
  return length;
}

/* True for a control character beyond ASCII, and for one that changes the direction of the text after it. */
static bool is_control (const char *text, size_t length) {
  unsigned char last = length ? (unsigned char)text[length - 1] : 0;
  if (length == 2) return text[0] == '\xC2' && last < 0xA0;
  if (length != 3 || text[0] != '\xE2') return false;
  return (text[1] == '\x80' && (last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE))) ||
         (text[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

void server_words_tidy (const char *text, size_t length, char to[SERVER_WORDS_SIZE]) {
  static const char more[] = "...";
  size_t n = 0, i, used;
  for (i = 0; i < length; i += used ? used : 1) {
    const char *from = text + i;
    size_t size = used = character(from, length - i);
    if (is_control(from, used) || (!used && (unsigned char)*from < 0x80))
      from = " ";
    else if (!used)
      from = "?";
    if (!used || *from == ' ') size = 1;
    if (*from == ' ' && (!n || to[n - 1] == ' ')) continue;
    if (n + size + sizeof more > SERVER_WORDS_SIZE) {
      memcpy(to + n, more, sizeof more);
      return;
    }
    memcpy(to + n, from, size);
    n += size;
  }
  while (n && to[n - 1] == ' ')
    n--;
  to[n] = 0;
}

/* The first byte that is not white space; 0: there is none. */
static char first_of (const struct buffer *body) {
  size_t i = 0;
  while (i < body->length && strchr(" \t\r\n", body->data[i]))
    i++;
  return (char)(i < body->length ? body->data[i] : 0);
}

static void collect (lua_State *L, const struct exchange *x, struct words *w) {
  enum { LARGEST_OBJECT = 65536 };
  const struct buffer *body = &x->response.body;
  char first = first_of(body);
  if (first == '{' && !exchange_has_type(x, "application/octet-stream")) {
    if (body->length <= LARGEST_OBJECT) read_object(L, x, w);
  } else if (first == '<' || exchange_has_type(x, "text/html"))
    read_page(L, body, w);
  else if (exchange_has_type(x, "text/plain"))
    add(w, body->data, body->length);
}

bool server_words_read (lua_State *L, const struct exchange *x, char to[SERVER_WORDS_SIZE]) {
  struct words w;
  w.length = 0;
  if (!x->response.body.length) return false;
  collect(L, x, &w);
  if (!w.length || carried_is_in(x, w.text, w.length)) return false;
  if (w.length == sizeof w.text) w.length -= CARRIED_COMPARED; /* a secret may be cut off there */
  server_words_tidy(w.text, w.length, to);
  return *to != 0;
}

bool server_words_retry (const struct exchange *x, char *to, size_t size) {
  enum { LONGEST = 40 };
  struct header_line line;
  char text[SERVER_WORDS_SIZE];
  if (!exchange_find_header(x, "Retry-After", &line) || !line.value_length || line.value_length > LONGEST ||
      carried_is_in(x, line.value, line.value_length))
    return false;
  server_words_tidy(line.value, line.value_length, text);
  if (strspn(text, "0123456789") == strlen(text))
    snprintf(to, size, "in %s s", text);
  else
    snprintf(to, size, "after %s", text);
  return true;
}
