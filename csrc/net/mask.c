#include "net/mask.h"

#include "net/ascii.h"
#include "net/system.h"

#include <stdint.h>
#include <string.h>

enum { LEAST_KNOWN = 6, MOST_KNOWN = 32 * 1024, MOST_COUNT = 64 }; /* bytes; secrets */

/* A text, and for each of its bytes whether it is left out. */
struct view {
  struct mask *mask;
  const char *text;
  size_t length;
  char *marks; /* owned; of enum mark */
  bool fields; /* a value without quotes that follows '&', '?' or a line's start goes on to the next '&' */
};

enum mark { SHOWN, HIDDEN, HIDDEN_WITH_QUOTES };

void mask_init (struct mask *m, const struct allocator *memory) {
  m->memory = memory;
  m->count = 0;
  buffer_init(&m->known, memory, MOST_KNOWN);
  m->known.secret = true;
}

void mask_cleanup (struct mask *m) {
  buffer_wipe(&m->known);
}

/* Names */

static int hex (char digit) {
  unsigned char c = (unsigned char)ascii_lower(digit);
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at *at, which moves on; a percent escape is decoded. */
static char next_of (const char *text, size_t length, size_t *at) {
  const char *here = text + *at;
  bool escape = *here == '%' && length - *at >= 3 && hex(here[1]) >= 0 && hex(here[2]) >= 0;
  *at += escape ? 3 : 1;
  if (!escape) return *here;
  return (char)(hex(here[1]) * 16 + hex(here[2]));
}

/* Writes the letters and digits of the name, in lower case. */
static void write_plain (char *to, size_t size, const char *name, size_t length) {
  size_t n = 0, at = 0;
  while (at < length && n + 1 < size) {
    char c = ascii_lower(next_of(name, length, &at));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) to[n++] = c;
  }
  to[n] = '\0';
}

static bool ends_with (const char *text, const char *end) {
  size_t length = strlen(text), size = strlen(end);
  return length >= size && strcmp(text + length - size, end) == 0;
}

bool mask_is_secret (const char *name, size_t length) {
  static const char *const parts[] = {
      "password",   "passwd",     "passphrase", "passcode",     "pwd",       "secret",         "token",
      "credential", "apikey",     "accesskey",  "sessid",       "sessionid", "sessionkey",     "dssession",
      "contextid",  "privatekey", "assertion",  "csrf",         "xsrf",      "authorization",  "cookie",
      "bearer",     "devicecode", "usercode",   "codeverifier", "signature", "subscriptionkey"};
  static const char *const wholes[] = {"pass", "pin", "otp", "auth", "sid", "jwt", "sig"};
  static const char *const harmless[] = {"type", "expires", "expiresin", "expiry", "endpoint", "uri", "url"};
  char plain[64];
  size_t i;
  if (length < 3) return false;
  write_plain(plain, sizeof plain, name, length);
  for (i = 0; i < sizeof harmless / sizeof *harmless; i++)
    if (ends_with(plain, harmless[i])) return false;
  for (i = 0; i < sizeof wholes / sizeof *wholes; i++)
    if (strcmp(plain, wholes[i]) == 0) return true;
  for (i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(plain, parts[i])) return true;
  return false;
}

/* Marks */

static bool is_one_of (char c, const char *set) {
  return c != '\0' && strchr(set, c) != NULL;
}

static bool is_blank (char c) {
  return is_one_of(c, " \t\r\n");
}

/* Appends the value without percent escapes. There is room. */
static void append_decoded (struct buffer *known, const char *value, size_t length) {
  for (size_t at = 0; at < length;) {
    char c = next_of(value, length, &at);
    if (c != '\0') buffer_add(known, &c, 1);
  }
  buffer_add(known, "", 1);
}

/* Remembers a secret, as it is and without percent escapes. Out of memory, or of room: it does not. */
static void know (struct mask *m, const char *value, size_t length) {
  struct buffer *known = &m->known;
  if (length < LEAST_KNOWN || length > known->limit / 4 || memchr(value, '\0', length)) return;
  if (m->count >= MOST_COUNT || known->limit - known->length < 2 * length + 2) return;
  buffer_add(known, value, length);
  buffer_add(known, "", 1);
  m->count++;
  if (memchr(value, '%', length)) append_decoded(known, value, length);
}

static void hide (struct view *v, size_t from, size_t to) {
  if (to <= from) return;
  memset(v->marks + from, HIDDEN, to - from);
  know(v->mask, v->text + from, to - from);
}

static size_t skip_blanks (const struct view *v, size_t at) {
  while (at < v->length && is_blank(v->text[at]))
    at++;
  return at;
}

/* The position of the quote that ends a string; of the text's end if there is none. */
static size_t end_of_string (const struct view *v, size_t at, char quote) {
  while (at < v->length && v->text[at] != quote)
    at += v->text[at] == '\\' ? 2 : 1;
  return at < v->length ? at : v->length;
}

/* The position behind the bracket that closes the one at `at`. */
static size_t end_of_nested (const struct view *v, size_t at) {
  size_t depth = 0;
  for (; at < v->length; at++) {
    char c = v->text[at];
    if (c == '"') at = end_of_string(v, at + 1, c);
    if (c == '{' || c == '[') depth++;
    if ((c == '}' || c == ']') && --depth == 0) return at + 1;
  }
  return v->length;
}

/* Within a string of JSON that holds JSON, quotes are escaped. */
static size_t skip_backslashes (const struct view *v, size_t at) {
  while (at < v->length && v->text[at] == '\\')
    at++;
  return at;
}

/* Hides a value in quotes, which are at `at` behind `escapes` backslashes. Returns where it ends. */
static size_t hide_quoted (struct view *v, size_t at, size_t escapes) {
  char quote = v->text[at];
  size_t end = at + 1;
  if (!escapes)
    end = end_of_string(v, end, quote);
  else
    while (end < v->length && v->text[end] != quote && v->text[end] != '\\')
      end++;
  hide(v, at + 1, end);
  return end;
}

static size_t hide_nested (struct view *v, size_t at) {
  size_t end = end_of_nested(v, at);
  memset(v->marks + at, HIDDEN_WITH_QUOTES, end - at);
  for (size_t i = at; i < end; i++)
    if (v->text[i] == '"') {
      size_t close = end_of_string(v, i + 1, '"');
      know(v->mask, v->text + i + 1, close - i - 1);
      i = close;
    }
  return end;
}

static size_t hide_bare (struct view *v, size_t at, const char *ends) {
  size_t end = at;
  while (end < v->length && !is_one_of(v->text[end], ends))
    end++;
  hide(v, at, end);
  return end;
}

/* The characters that end a value without quotes: of a field, of a path parameter, and elsewhere. */
static const char field_ends[] = "&\r\n\"<", path_ends[] = ";/?& \t\r\n\"'<>",
                  other_ends[] = "&;, \t\r\n\"'<>}])";

/* Hides the value at `at`. `ends`: of one without quotes. Returns where it ends. */
static size_t hide_value (struct view *v, size_t at, const char *ends) {
  size_t quote = skip_backslashes(v, at);
  if (quote >= v->length) return v->length;
  if (v->text[quote] == '"' || v->text[quote] == '\'') return hide_quoted(v, quote, quote - at);
  if (ends == other_ends && is_one_of(v->text[at], "{[")) return hide_nested(v, at);
  return hide_bare(v, at, ends);
}

/* Names in texts */

static bool is_name (char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || is_one_of(c, "_-.%$");
}

static size_t end_of_name (const struct view *v, size_t at) {
  while (at < v->length && is_name(v->text[at]))
    at++;
  return at;
}

/* The position behind what is in brackets with or after the name of a field: user[password], tokens[0]. */
static size_t skip_brackets (const struct view *v, size_t at) {
  enum { LONGEST = 64 };
  size_t end = at;
  while (end < v->length && end - at < LONGEST && (is_name(v->text[end]) || is_one_of(v->text[end], "[]")))
    end++;
  return end > at && v->text[end - 1] == ']' ? end : at;
}

/* The position of the value that belongs to the name which ends at `at`. False: there is none. */
static bool find_value (const struct view *v, size_t at, size_t *value) {
  at = skip_backslashes(v, v->fields ? skip_brackets(v, at) : at);
  if (at < v->length && is_one_of(v->text[at], "\"'")) at++;
  at = skip_blanks(v, at);
  if (at >= v->length || !is_one_of(v->text[at], ":=")) return false;
  *value = v->text[at] == ':' || !v->fields ? skip_blanks(v, at + 1) : at + 1;
  return true;
}

static bool is_called (const struct view *v, size_t from, size_t to, const char *name) {
  return to - from == strlen(name) && ascii_same_start(v->text + from, name, to - from);
}

/* Hides the values of `value` and `content` from `from` to `to`, in a tag or an object. */
static void hide_values_between (struct view *v, size_t from, size_t to) {
  while (from < to) {
    size_t end = end_of_name(v, from), value;
    if (end == from) {
      from++;
      continue;
    }
    if ((is_called(v, from, end, "value") || is_called(v, from, end, "content")) &&
        find_value(v, end, &value))
      end = hide_value(v, value, other_ends);
    from = end;
  }
}

enum { FAR = 4096 }; /* the most bytes of a tag or an object in which a value is looked for */

static size_t find_back (const struct view *v, size_t at, const char *set) {
  size_t least = at > FAR ? at - FAR : 0;
  while (at > least && !is_one_of(v->text[at], set))
    at--;
  return at;
}

static size_t find_on (const struct view *v, size_t at, const char *set) {
  size_t most = v->length - at > FAR ? at + FAR : v->length;
  while (at < most && !is_one_of(v->text[at], set))
    at++;
  return at;
}

/* `end`: it is not there before. */
static size_t find_text (const struct view *v, size_t at, size_t end, const char *text) {
  const char *found = at < end ? memmem(v->text + at, end - at, text, strlen(text)) : NULL;
  return found ? (size_t)(found - v->text) : end;
}

/* A part of a multipart body: the secret is behind the part's blank line. `at` is in its headers. */
static void hide_part (struct view *v, size_t at) {
  size_t last = v->length - at > FAR ? at + FAR : v->length, blank = find_text(v, at, last, "\r\n\r\n");
  if (blank < last) hide(v, blank + 4, find_text(v, blank + 4, v->length, "\r\n--"));
}

/* The text of an element, whose tag ends at `at`. */
static void hide_content (struct view *v, size_t at) {
  size_t from = skip_blanks(v, at + 1);
  if (at >= v->length || v->text[at - 1] == '/' || from >= v->length) return;
  bool data = v->length - from > 9 && !memcmp(v->text + from, "<![CDATA[", 9);
  if (data) from += 9;
  hide(v, from, find_text(v, from, v->length, data ? "]]>" : "<"));
}

/* A secret's name is a value itself: name="password" value="...", {"name": "token", "value": "..."}. */
static void hide_named (struct view *v, size_t from, size_t to) {
  size_t open = find_back(v, from, "<{\n"), close = find_on(v, to, ">}\n");
  if (is_one_of(v->text[open], "<{")) hide_values_between(v, open, close);
  if (v->text[open] == '<' && close < v->length && v->text[close] == '>') hide_content(v, close);
  if (v->text[open] == '\n') hide_part(v, to);
}

/* An element with a secret's name. */
static void hide_element (struct view *v, size_t to) {
  size_t close = find_on(v, to, ">"), at = to;
  while ((at = find_on(v, at, "\"'>")) < close)
    at = hide_quoted(v, at, 0) + 1;
  hide_content(v, close);
}

static bool is_element (const struct view *v, size_t from) {
  if (!from) return false;
  if (v->text[from - 1] == ':') /* after the prefix of a name space */
    for (from--; from > 0 && is_name(v->text[from - 1]);)
      from--;
  return from > 0 && v->text[from - 1] == '<';
}

/* True for a value in quotes, or of an attribute without quotes. */
static bool is_value (const struct view *v, size_t from, size_t to) {
  if (from == 0 || to == v->length) return false;
  if (v->text[from - 1] == '=') return is_one_of(v->text[to], " />\t\r\n");
  return is_one_of(v->text[from - 1], "\"'") && is_one_of(v->text[to], "\"'\\");
}

/* True for what JSON has besides strings, numbers, lists and objects. */
static bool is_word (const struct view *v, size_t at) {
  static const char *const words[] = {"true", "false", "null"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (end_of_name(v, at) - at == strlen(words[i]) && !memcmp(v->text + at, words[i], strlen(words[i])))
      return true;
  return false;
}

/* Hides the value of the name at `from`. */
static size_t hide_value_of (struct view *v, size_t from, size_t value) {
  char before = '&';
  size_t end;
  if (from) before = v->text[from - 1];
  if (v->fields && is_one_of(before, "&?\n[")) return hide_value(v, value, field_ends);
  if (before == ';') return hide_value(v, value, path_ends);
  if (before != '"') return hide_value(v, value, other_ends);
  if (is_word(v, value)) return value;
  end = hide_value(v, value, other_ends);
  if (value < end && v->marks[value] == HIDDEN) memset(v->marks + value, HIDDEN_WITH_QUOTES, end - value);
  return end;
}

/* Hides what belongs to the secret's name at `from`. Returns where to go on. */
static size_t hide_for_name (struct view *v, size_t from, size_t to) {
  size_t value;
  if (is_element(v, from))
    hide_element(v, to);
  else if (find_value(v, to, &value))
    return hide_value_of(v, from, value);
  else if (is_value(v, from, to))
    hide_named(v, from, to);
  return to;
}

/* True for the code that a form gives for a token: elsewhere "code" names much else. */
static bool is_grant (const struct view *v, size_t from, size_t to) {
  return v->fields && is_called(v, from, to, "code") && find_text(v, 0, v->length, "grant_type=") < v->length;
}

static void hide_by_name (struct view *v) {
  size_t at = 0;
  while (at < v->length) {
    size_t end = end_of_name(v, at);
    if (end == at)
      at++;
    else
      at = mask_is_secret(v->text + at, end - at) || is_grant(v, at, end) ? hide_for_name(v, at, end) : end;
  }
}

static void cover (struct view *v, size_t at, size_t length) {
  for (size_t i = at; i < at + length; i++)
    if (v->marks[i] == SHOWN) v->marks[i] = HIDDEN;
}

/* Hides values that were secrets before, also the beginning of one at the text's end, which may be cut. */
static void hide_known (struct view *v) {
  const struct buffer *known = &v->mask->known;
  for (size_t i = 0, length; i < known->length; i += length + 1) {
    const char *secret = known->data + i;
    length = strlen(secret);
    for (size_t at = 0; (at = find_text(v, at, v->length, secret)) < v->length; at += length)
      cover(v, at, length);
    for (size_t left = length - 1; left >= LEAST_KNOWN; left--)
      if (v->length >= left && !memcmp(v->text + v->length - left, secret, left))
        cover(v, v->length - left, left);
  }
}

/* Texts */

static bool begin (struct view *v, struct mask *m, const char *text, size_t length, bool fields) {
  *v = (struct view){m, text, length, NULL, fields};
  v->marks = memory_new(m->memory, length + 1);
  return v->marks != NULL;
}

static bool write_run (struct buffer *to, const struct view *v, size_t from, size_t end) {
  switch (v->marks[from]) {
  case HIDDEN: return buffer_add(to, "***", 3) == BUFFER_OK;
  case HIDDEN_WITH_QUOTES: return buffer_add(to, "\"***\"", 5) == BUFFER_OK;
  default: return buffer_add(to, v->text + from, end - from) == BUFFER_OK;
  }
}

static bool end (struct view *v, struct buffer *to) {
  bool ok = true;
  size_t from = 0;
  hide_known(v);
  while (ok && from < v->length) {
    size_t i = from;
    while (i < v->length && v->marks[i] == v->marks[from])
      i++;
    ok = write_run(to, v, from, i);
    from = i;
  }
  memory_free(v->mask->memory, v->marks, v->length + 1);
  return ok;
}

/* The fields of a query or a fragment whose names are secrets' only there: elsewhere they name much else. */
static void hide_in_query (struct view *v, size_t at, size_t end) {
  for (; at < end; at++) {
    size_t name = at + 1, value = end_of_name(v, name) + 1;
    if (!is_one_of(v->text[at], "?&#") || value >= end || v->text[value - 1] != '=') continue;
    if (!is_called(v, name, value - 1, "code") && !is_called(v, name, value - 1, "key")) continue;
    for (at = value; at < end && !is_one_of(v->text[at], "&#\">"); at++)
      v->marks[at] = HIDDEN;
    at--;
  }
}

static void hide_in_uri (struct view *v, size_t at, size_t end) {
  size_t host = find_text(v, at, end, "://") + 3, i;
  for (i = host; i < end && !is_one_of(v->text[i], "/?#"); i++)
    if (v->text[i] == '@') hide(v, host, i);
  hide_in_query(v, at, end);
  for (; at < end && v->text[at] != '?'; at++) {
    size_t name = v->text[at] == ';' ? end_of_name(v, at + 1) : end;
    if (name >= end || v->text[name] != '=') continue;
    for (at = name; at < end && !is_one_of(v->text[at + 1], ";/?"); at++)
      continue;
    hide(v, name + 1, at < end ? at + 1 : end);
  }
}

bool mask_uri (struct mask *m, struct buffer *to, const char *text, size_t length) {
  struct view v;
  if (!begin(&v, m, text, length, true)) return false;
  hide_in_uri(&v, 0, length);
  hide_by_name(&v);
  return end(&v, to);
}

/* "name=value; value", or for Set-Cookie one of them before the attributes. */
static void hide_cookies (struct view *v, size_t at, bool all) {
  do {
    size_t semicolon = at, equals;
    while (semicolon < v->length && v->text[semicolon] != ';')
      semicolon++;
    for (equals = at; equals < semicolon && v->text[equals] != '=';)
      equals++;
    hide(v, equals < semicolon ? equals + 1 : skip_blanks(v, at), semicolon);
    at = semicolon + 1;
  } while (all && at < v->length);
}

/* Leaves the scheme, as "Basic". */
static void hide_authorization (struct view *v, size_t at) {
  size_t end = at;
  while (end < v->length && !is_blank(v->text[end]))
    end++;
  if (end < v->length) at = skip_blanks(v, end);
  hide(v, at, v->length);
}

static bool is_secret_header (const struct view *v, size_t name) {
  static const char *const starts[] = {"X-Session", "X-Access"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    if (name >= strlen(starts[i]) && is_called(v, 0, strlen(starts[i]), starts[i])) return true;
  return is_called(v, 0, name, "authentication") || is_called(v, 0, name, "authentication-info") ||
         mask_is_secret(v->text, name);
}

static void hide_header (struct view *v, size_t name, size_t value) {
  static const char *const uris[] = {"location", "content-location", "referer", "refresh", "link", "origin"};
  if (is_called(v, 0, name, "cookie") || is_called(v, 0, name, "set-cookie")) {
    hide_cookies(v, value, name == strlen("cookie"));
    return;
  }
  if (is_called(v, 0, name, "authorization") || is_called(v, 0, name, "proxy-authorization")) {
    hide_authorization(v, value);
    return;
  }
  if (is_secret_header(v, name)) {
    hide(v, value, v->length);
    return;
  }
  for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
    if (is_called(v, 0, name, uris[i])) hide_in_uri(v, value, v->length);
  hide_by_name(v);
}

bool mask_header (struct mask *m, struct buffer *to, const char *line, size_t length) {
  struct view v;
  size_t name;
  if (!begin(&v, m, line, length, false)) return false;
  name = end_of_name(&v, 0);
  if (name < length && line[name] == ':')
    hide_header(&v, name, skip_blanks(&v, name + 1));
  else {
    size_t target = skip_blanks(&v, name);
    v.fields = true;
    v.length = find_text(&v, target, length, " ");
    hide_in_uri(&v, target, v.length);
    hide_by_name(&v);
    v.length = length;
  }
  return end(&v, to);
}

bool mask_body (struct mask *m, struct buffer *to, const char *text, size_t length) {
  struct view v;
  if (!begin(&v, m, text, length, true)) return false;
  hide_by_name(&v);
  return end(&v, to);
}
