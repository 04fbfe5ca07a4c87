#include "net/carried.h"

#include "net/ascii.h"

#include <string.h>

struct text {
  const char *start;
  size_t length;
};

enum { LONG_SECRET = 8 };

static bool is_alone (const struct text *in, size_t at, size_t length) {
  size_t end = at + length;
  return (at == 0 || !ascii_is_alnum(in->start[at - 1])) &&
         (end == in->length || !ascii_is_alnum(in->start[end]));
}

static bool holds (const struct text *in, const char *secret, size_t length) {
  size_t at;
  if (!length) return false;
  if (length > CARRIED_COMPARED) length = CARRIED_COMPARED;
  for (at = 0; at + length <= in->length; at++)
    if (!memcmp(in->start + at, secret, length) && (length >= LONG_SECRET || is_alone(in, at, length)))
      return true;
  return false;
}

/* HTTP Basic */

static int digit_of (char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648, 4. Returns how many bytes it wrote. */
static size_t read_base64 (const char *from, size_t length, char to[CARRIED_COMPARED]) {
  size_t n = 0, i;
  unsigned bits = 0, count = 0;
  for (i = 0; n < CARRIED_COMPARED && i < length && digit_of(from[i]) >= 0; i++) {
    bits = (bits << 6 | (unsigned)digit_of(from[i])) & 0xFFFF;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    to[n++] = (char)(bits >> count & 0xFF);
  }
  return n;
}

static bool holds_password (const struct text *in, const char *base64, size_t size) {
  char plain[CARRIED_COMPARED];
  size_t length = read_base64(base64, size, plain);
  const char *colon = memchr(plain, ':', length);
  bool is = colon && holds(in, colon + 1, length - (size_t)(colon + 1 - plain));
  memory_wipe(plain, sizeof plain);
  return is || holds(in, base64, size);
}

/* Header lines */

static bool is_open (const char *line, size_t name_length) {
  static const char *const names[] = {"Accept",          "Accept-Language",   "Cache-Control",
                                      "Content-Type",    "If-Modified-Since", "If-None-Match",
                                      "Accept-Encoding", "User-Agent",        "Connection"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strlen(names[i]) == name_length && ascii_same_start(names[i], line, name_length)) return true;
  return false;
}

static bool ends_part (char c) {
  return strchr(" ,;=\"'", c) != NULL;
}

enum { SHORTEST_PART = 4 };

/*
** "Bearer TOKEN", "dssession=ID", "A=1; B=2": each part may be the secret. X-CLIENT-PROPS is JSON, whose
** names are not secret.
*/
static bool holds_part (const struct text *in, const char *value, size_t length) {
  size_t at, end;
  if (length && *value == '{') return false;
  for (at = 0; at < length; at = end + 1) {
    for (end = at; end < length && !ends_part(value[end]); end++)
      ;
    if (end - at == 8 && !memcmp(value + at, "no-cache", 8)) continue;
    if (end - at >= SHORTEST_PART && holds(in, value + at, end - at)) return true;
  }
  return false;
}

static bool holds_header (const struct text *in, const char *line, size_t length) {
  const char *colon = memchr(line, ':', length), *value;
  if (!colon || is_open(line, (size_t)(colon - line))) return false;
  value = colon + 1;
  while (value < line + length && *value == ' ')
    value++;
  length -= (size_t)(value - line);
  if (length > 6 && ascii_same_start(value, "Basic ", 6) && holds_password(in, value + 6, length - 6))
    return true;
  return length >= SHORTEST_PART && (holds(in, value, length) || holds_part(in, value, length));
}

static bool holds_headers (const struct text *in, struct header_list *list) {
  struct curl_slist *link;
  const char *line;
  if (!list) return false;
  if (!header_list_lines(list, &link)) return true;
  for (; link; link = link->next)
    for (line = link->data; *line; line += strspn(line, "\r\n")) { /* one link may hold several lines */
      size_t length = strcspn(line, "\r\n");
      if (holds_header(in, line, length)) return true;
      line += length;
    }
  return false;
}

/* Cookies */

static bool holds_cookies (const struct text *in, struct cookie_jar *jar) {
  struct curl_slist *lines, *line;
  bool is = false;
  if (!jar) return false;
  if (!cookie_jar_export_all(jar, &lines)) return true;
  for (line = lines; line && !is; line = line->next) {
    const char *value = strrchr(line->data, '\t');
    is = value && holds(in, value + 1, strlen(value + 1));
  }
  curl_slist_free_all(lines);
  return is;
}

/*
** True if the word is probably a token and not of a language: a digit among letters, or capitals after small
** letters.
*/
static bool is_opaque (const char *word, size_t length) {
  bool digit = false, mixed = false;
  for (size_t i = 0; i < length; i++) {
    digit = digit || (word[i] >= '0' && word[i] <= '9');
    mixed = mixed || (i && ascii_lower(word[i]) != word[i] && ascii_lower(word[i - 1]) == word[i - 1] &&
                      ascii_is_alnum(word[i - 1]));
  }
  return length >= LONG_SECRET && (digit || mixed);
}

/*
** True if the response sets cookies and the text may quote a value that it replaced: such values are in no
** jar any more.
*/
static bool holds_replaced (const struct text *in, const struct exchange *x) {
  struct header_line line;
  size_t at = 0, start, end;
  if (!exchange_find_header(x, "Set-Cookie", &line)) return false;
  while (header_next(x->response.headers.data, x->response.headers.length, &at, &line)) {
    const char *equals = memchr(line.value, '=', line.value_length);
    size_t rest = equals ? line.value_length - (size_t)(equals + 1 - line.value) : 0;
    const char *semicolon = equals ? memchr(equals + 1, ';', rest) : NULL;
    if (line.name_length != 10 || !equals || !ascii_same_start(line.name, "Set-Cookie", 10)) continue;
    if (holds(in, equals + 1, semicolon ? (size_t)(semicolon - equals - 1) : rest)) return true;
  }
  for (start = 0; start < in->length; start = end + 1) {
    for (end = start; end < in->length && ascii_is_alnum(in->start[end]); end++)
      ;
    if (is_opaque(in->start + start, end - start)) return true;
  }
  return false;
}

/* Bodies and queries */

static int hex_of (char c) {
  c = ascii_lower(c);
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a value of a form, a query or JSON. Returns the number of bytes. */
static size_t read_value (const char *from, size_t length, char to[CARRIED_COMPARED]) {
  size_t n = 0, i = 0;
  while (i < length && n < CARRIED_COMPARED) {
    int high = from[i] == '%' && i + 2 < length ? hex_of(from[i + 1]) : -1;
    int low = high >= 0 ? hex_of(from[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      to[n++] = (char)(high * 16 + low);
      i += 3;
    } else {
      if (from[i] == '\\' && i + 1 < length) i++;
      to[n++] = (char)(from[i] == '+' ? ' ' : from[i]);
      i++;
    }
  }
  return n;
}

static bool holds_value (const struct text *in, const char *value, size_t length) {
  char plain[CARRIED_COMPARED];
  size_t n = read_value(value, length, plain);
  bool is = holds(in, value, length) || holds(in, plain, n);
  memory_wipe(plain, sizeof plain);
  return is;
}

static bool is_secret_name (const char *text, size_t left, size_t *length) {
  static const char *const names[] = {"password", "passwd", "pwd",        "passphrase",
                                      "token",    "secret", "credential", "jsessionid"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    *length = strlen(names[i]);
    if (*length <= left && ascii_same_start(names[i], text, *length)) return true;
  }
  return false;
}

/* Finds the value that follows a name: of `name=value`, `"name": "value"`. False: no value follows. */
static bool find_value (const char *text, size_t left, struct text *value) {
  size_t i = 0, n = 0;
  char quote = 0;
  while (i < left && (ascii_is_alnum(text[i]) || text[i] == '_' || text[i] == '-'))
    i++;
  while (i < left && strchr("\"' \t", text[i]))
    i++;
  if (i == left || (text[i] != '=' && text[i] != ':')) return false;
  i++;
  while (i < left && (text[i] == ' ' || text[i] == '\t'))
    i++;
  if (i < left && (text[i] == '"' || text[i] == '\'')) quote = text[i++];
  while (i + n < left && (quote ? text[i + n] != quote : !strchr("&;,}\r\n", text[i + n]))) {
    if (quote && text[i + n] == '\\' && i + n + 1 < left) n++;
    n++;
  }
  value->start = text + i;
  value->length = n;
  return true;
}

/* True if the text holds a value that a form, a query or JSON gives to a name such as password. */
static bool holds_named (const struct text *in, const char *text, size_t length) {
  struct text value;
  size_t at, name;
  for (at = 0; at < length; at++) {
    if (!is_secret_name(text + at, length - at, &name)) continue;
    if (find_value(text + at + name, length - at - name, &value) &&
        holds_value(in, value.start, value.length))
      return true;
  }
  return false;
}

bool carried_is_in (const struct exchange *x, const char *text, size_t length) {
  const struct text in = {text, length};
  const struct request *request = &x->request;
  const char *line = request->credentials ? request->credentials->line : NULL;
  const char *uri = request->uri ? uri_text(request->uri) : "";
  return (line && holds_header(&in, line, strlen(line))) || holds_headers(&in, request->headers) ||
         holds_cookies(&in, request->jar) || holds_replaced(&in, x) ||
         holds_named(&in, request->body.data, request->body.length) || holds_named(&in, uri, strlen(uri));
}
