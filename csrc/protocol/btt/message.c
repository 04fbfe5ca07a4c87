#include "protocol/btt/message.h"

#include "net/ascii.h"
#include "net/percent.h"
#include "net/system.h"

#include <string.h>

static bool is_space (char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool is_letter (char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit (char c) {
  return c >= '0' && c <= '9';
}

static bool is_word (char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

static struct span span_of (const char *text, size_t length) {
  struct span s = {text, length};
  return s;
}

static struct span trim (struct span s) {
  while (s.length && is_space(s.text[0]))
    s.text++, s.length--;
  while (s.length && is_space(s.text[s.length - 1]))
    s.length--;
  return s;
}

struct span span_strip (struct span s) {
  s = trim(s);
  if (s.length < 2 || s.text[0] != '"' || s.text[s.length - 1] != '"') return s;
  return trim(span_of(s.text + 1, s.length - 2));
}

bool span_is (struct span s, const char *text) {
  return s.length == strlen(text) && (!s.length || !memcmp(s.text, text, s.length));
}

static bool starts (struct span s, size_t at, const char *with) {
  size_t n = strlen(with);
  return at <= s.length && s.length - at >= n && !memcmp(s.text + at, with, n);
}

static bool starts_any_case (struct span s, size_t at, const char *with) {
  size_t n = strlen(with);
  return at <= s.length && s.length - at >= n && ascii_same_start(s.text + at, with, n);
}

/* The offset of `what` from `at` on; the text's length: it is not there. */
static size_t find (struct span s, size_t at, const char *what) {
  const char *place = at < s.length ? memmem(s.text + at, s.length - at, what, strlen(what)) : NULL;
  return place ? (size_t)(place - s.text) : s.length;
}

static size_t find_byte (struct span s, size_t at, char byte) {
  const char *place = at < s.length ? memchr(s.text + at, byte, s.length - at) : NULL;
  return place ? (size_t)(place - s.text) : s.length;
}

static struct span skip_mark (struct span s) {
  return starts(s, 0, "\xEF\xBB\xBF") ? span_of(s.text + 3, s.length - 3) : s;
}

enum message_look message_look (struct span body, struct span type) {
  struct span s = body.length ? trim(skip_mark(body)) : body;
  if (!s.length) return LOOK_EMPTY;
  if (s.text[0] == '{' || s.text[0] == '[') return LOOK_JSON;
  if (s.text[0] != '<') return LOOK_OTHER;
  if (type.length >= 9 && ascii_same_start(type.text, "text/html", 9)) return LOOK_HTML;
  return starts_any_case(s, 0, "<!doctype html") || starts_any_case(s, 0, "<html") ? LOOK_HTML : LOOK_XML;
}

static bool stands_alone (struct span text, size_t at, size_t length) {
  return (!at || !is_word(text.text[at - 1])) &&
         (at + length >= text.length || !is_word(text.text[at + length]));
}

bool message_names (struct span text, const char *word) {
  size_t at = 0, n = strlen(word);
  while ((at = find(text, at, word)) < text.length) {
    if (stands_alone(text, at, n)) return true;
    at += n;
  }
  return false;
}

static struct span find_code (struct span text) {
  size_t at = 0;
  while ((at = find(text, at, "CSS")) < text.length) {
    if (text.length - at >= 5 && is_digit(text.text[at + 3]) && is_digit(text.text[at + 4]) &&
        stands_alone(text, at, 5))
      return span_of(text.text + at, 5);
    at += 3;
  }
  return span_of(NULL, 0);
}

static struct span find_exception (struct span text) {
  enum { LONGEST = 64 };
  size_t at = 0, n;
  while ((at = find(text, at, "DSE")) < text.length) {
    for (n = 0; at + n < text.length && n < LONGEST && is_word(text.text[at + n]);)
      n++;
    if (n > 9 && stands_alone(text, at, n) && !memcmp(text.text + at + n - 9, "Exception", 9))
      return span_of(text.text + at, n);
    at += 3;
  }
  return span_of(NULL, 0);
}

struct span message_code (struct span text) {
  struct span code = find_code(text);
  return code.length ? code : find_exception(text);
}

/* XML */

static bool begins_name (char c) {
  return is_letter(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_in_name (char c) {
  return begins_name(c) || is_digit(c) || c == '-' || c == '.' || c == ':';
}

bool xml_is_name (struct span s) {
  size_t i;
  if (!s.length || !begins_name(s.text[0])) return false;
  for (i = 1; i < s.length; i++)
    if (!is_in_name(s.text[i])) return false;
  return true;
}

void xml_begin (struct xml_reader *r, struct span text) {
  memset(r, 0, sizeof *r);
  r->text = text.length ? skip_mark(text) : text;
}

/* Moves behind the next `end`. False: there is none. */
static bool skip_to (struct xml_reader *r, const char *end) {
  r->at = find(r->text, r->at, end);
  if (r->at >= r->text.length) return false;
  r->at += strlen(end);
  return true;
}

/* Moves to the ">" of a tag or a document type; skips quoted texts and, in a document type, brackets. */
static bool skip_tag (struct xml_reader *r, bool brackets) {
  bool inside = false;
  for (; r->at < r->text.length; r->at++) {
    char c = r->text.text[r->at];
    if (c == '"' || c == '\'') {
      r->at = find_byte(r->text, r->at + 1, c);
    } else if (brackets && (c == '[' || c == ']'))
      inside = c == '[';
    else if (c == '<' && !brackets)
      return false;
    else if (c == '>' && !inside) {
      r->at++;
      return true;
    }
  }
  return false;
}

static struct span read_name (struct xml_reader *r) {
  size_t from = r->at;
  if (from < r->text.length && begins_name(r->text.text[from]))
    while (r->at < r->text.length && is_in_name(r->text.text[r->at]))
      r->at++;
  return span_of(r->text.text + from, r->at - from);
}

static enum xml_event close_element (struct xml_reader *r) {
  r->name = r->open[--r->depth];
  if (!r->depth) r->ended = true;
  return XML_END;
}

/* Reads an end tag, from its name on. */
static enum xml_event read_end (struct xml_reader *r) {
  struct span name = read_name(r), open;
  while (r->at < r->text.length && is_space(r->text.text[r->at]))
    r->at++;
  if (!r->depth || r->at >= r->text.length || r->text.text[r->at] != '>') return XML_BROKEN;
  r->at++;
  open = r->open[r->depth - 1];
  if (name.length != open.length || memcmp(name.text, open.text, name.length) != 0) return XML_BROKEN;
  return close_element(r);
}

/* Reads a start tag, from its name on. */
static enum xml_event read_start (struct xml_reader *r) {
  struct span name = read_name(r);
  if (!name.length || r->ended || r->depth >= XML_MOST_DEPTH || !skip_tag(r, false)) return XML_BROKEN;
  r->empty = r->text.text[r->at - 2] == '/';
  r->open[r->depth++] = r->name = name;
  return XML_START;
}

static enum xml_event read_cdata (struct xml_reader *r) {
  size_t from = r->at += strlen("<![CDATA[");
  if (!r->depth || !skip_to(r, "]]>")) return XML_BROKEN;
  r->content = span_of(r->text.text + from, r->at - 3 - from);
  return XML_CDATA;
}

/* Skips a comment, an instruction or a document type. False: it is none of these; *ok: it has an end. */
static bool skip_other (struct xml_reader *r, bool *ok) {
  if (starts(r->text, r->at, "<!--")) {
    r->at += 4;
    *ok = skip_to(r, "-->");
  } else if (starts(r->text, r->at, "<?"))
    *ok = skip_to(r, "?>");
  else if (starts_any_case(r->text, r->at, "<!DOCTYPE"))
    *ok = !r->depth && skip_tag(r, true);
  else
    return false;
  return true;
}

/* Reads text up to the next "<". Outside the root element only blanks are allowed. */
static enum xml_event read_text (struct xml_reader *r) {
  size_t from = r->at;
  r->at = find_byte(r->text, from, '<');
  r->content = span_of(r->text.text + from, r->at - from);
  if (r->depth) return XML_TEXT;
  return trim(r->content).length ? XML_BROKEN : XML_DONE;
}

enum xml_event xml_next (struct xml_reader *r) {
  bool ok = true;
  if (r->empty) {
    r->empty = false;
    return close_element(r);
  }
  while (r->at < r->text.length) {
    if (r->text.text[r->at] != '<') {
      enum xml_event event = read_text(r);
      if (event != XML_DONE) return event;
      continue;
    }
    if (starts(r->text, r->at, "<![CDATA[")) return read_cdata(r);
    if (skip_other(r, &ok)) {
      if (!ok) return XML_BROKEN;
      continue;
    }
    r->at++;
    if (!starts(r->text, r->at, "/")) return read_start(r);
    r->at++;
    return read_end(r);
  }
  return r->ended && !r->depth ? XML_DONE : XML_BROKEN;
}

/* HTML */

/* Reads the value behind "=", quoted or not. */
static struct span read_value (struct html_reader *r) {
  const char *text = r->text.text;
  size_t from;
  while (r->at < r->text.length && is_space(text[r->at]))
    r->at++;
  from = r->at;
  if (from < r->text.length && (text[from] == '"' || text[from] == '\'')) {
    r->at = find_byte(r->text, from + 1, text[from]);
    from++;
    if (r->at >= r->text.length) return span_of(text + r->text.length, 0);
    return span_of(text + from, r->at++ - from);
  }
  while (r->at < r->text.length && !is_space(text[r->at]) && text[r->at] != '>')
    r->at++;
  return span_of(text + from, r->at - from);
}

static bool is_called (struct span s, const char *name) {
  return s.length == strlen(name) && ascii_same_start(s.text, name, s.length);
}

/* Reads the next attribute of a tag. False: the tag ends. */
static bool next_attribute (struct html_reader *r, struct span *name, struct span *value) {
  const char *text = r->text.text;
  size_t from;
  while (r->at < r->text.length && (is_space(text[r->at]) || text[r->at] == '/' || text[r->at] == '='))
    r->at++;
  if (r->at >= r->text.length || text[r->at] == '>') return false;
  from = r->at;
  while (r->at < r->text.length && !is_space(text[r->at]) && !strchr("=>/", text[r->at]))
    r->at++;
  if (r->at == from) r->at++; /* a NUL: skipped like any other byte */
  *name = span_of(text + from, r->at - from);
  *value = span_of(text + r->at, 0);
  while (r->at < r->text.length && is_space(text[r->at]))
    r->at++;
  if (r->at >= r->text.length || text[r->at] != '=') return true;
  r->at++;
  *value = read_value(r);
  return true;
}

/* Reads the attributes of an input, from behind "<input" on. */
static bool read_input (struct html_reader *r, struct span *name, struct span *value) {
  struct span attribute, is;
  bool hidden = false;
  *name = *value = span_of(r->text.text, 0);
  while (next_attribute(r, &attribute, &is)) {
    if (is_called(attribute, "type")) hidden = is_called(trim(is), "hidden");
    if (is_called(attribute, "name")) *name = is;
    if (is_called(attribute, "value")) *value = is;
  }
  return hidden && name->length;
}

/* Skips a comment or a script: what looks like a tag there is none. */
static size_t skip_hidden_text (struct span s, size_t at) {
  size_t end;
  if (starts(s, at, "<!--")) return find(s, at + 4, "-->");
  if (!starts_any_case(s, at, "<script")) return at;
  for (end = find(s, at, "</"); end < s.length && !starts_any_case(s, end, "</script");)
    end = find(s, end + 2, "</");
  return end;
}

bool html_next_hidden (struct html_reader *r, struct span *name, struct span *value) {
  while ((r->at = find_byte(r->text, r->at, '<')) < r->text.length) {
    size_t behind = skip_hidden_text(r->text, r->at);
    if (behind > r->at) {
      r->at = behind;
      continue;
    }
    if (!starts_any_case(r->text, r->at, "<input") ||
        (r->at + 6 < r->text.length && is_word(r->text.text[r->at + 6]))) {
      r->at++;
      continue;
    }
    r->at += 6;
    if (read_input(r, name, value)) return true;
  }
  return false;
}

/* Entities */

static size_t write_utf8 (char *to, unsigned long code) {
  if (code < 0x80) {
    to[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    to[0] = (char)(0xC0 | code >> 6);
    to[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    to[0] = (char)(0xE0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3F));
    to[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  to[0] = (char)(0xF0 | code >> 18);
  to[1] = (char)(0x80 | (code >> 12 & 0x3F));
  to[2] = (char)(0x80 | (code >> 6 & 0x3F));
  to[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}

static int digit_of (char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

/* The character of "#65" or "#x41"; 0: it stands for none. */
static unsigned long code_of (struct span s) {
  bool hex = s.length > 1 && (s.text[1] == 'x' || s.text[1] == 'X');
  size_t i = hex ? 2 : 1;
  unsigned long code = 0;
  if (i >= s.length) return 0;
  for (; i < s.length; i++) {
    int digit = digit_of(s.text[i]);
    if (digit >= (hex ? 16 : 10)) return 0;
    code = code * (hex ? 16 : 10) + (unsigned long)digit;
    if (code > 0x10FFFF) return 0;
  }
  return code >= 0xD800 && code <= 0xDFFF ? 0 : code;
}

/* The character of "&s;"; 0: unknown. Its UTF-8 is never longer than the entity. */
static size_t write_entity (char *to, struct span s) {
  static const struct {
    const char *name;
    char byte;
  } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  unsigned long code;
  size_t i;
  for (i = 0; i < sizeof known / sizeof *known; i++)
    if (span_is(s, known[i].name)) {
      *to = known[i].byte;
      return 1;
    }
  code = s.length && s.text[0] == '#' ? code_of(s) : 0;
  return code ? write_utf8(to, code) : 0;
}

size_t markup_decode (char *to, struct span s) {
  enum { LONGEST = 12 };
  size_t i = 0, n = 0, end, took;
  while (i < s.length) {
    if (s.text[i] == '&') {
      for (end = i + 1; end < s.length && end - i < LONGEST && s.text[end] != ';';)
        end++;
      took = end < s.length && s.text[end] == ';' ? write_entity(to + n, span_of(s.text + i + 1, end - i - 1))
                                                  : 0;
      if (took) {
        n += took;
        i = end + 1;
        continue;
      }
    }
    to[n++] = s.text[i++];
  }
  return n;
}

/* Writing */

size_t form_encode (char *to, struct span s) {
  return percent_encode(to, s.text, s.length, PERCENT_COMPONENT);
}

size_t xml_encode (char *to, struct span s) {
  size_t i, n = 0, took;
  for (i = 0; i < s.length; i++) {
    const char *as = s.text[i] == '&'   ? "&amp;"
                     : s.text[i] == '<' ? "&lt;"
                     : s.text[i] == '>' ? "&gt;"
                                        : NULL;
    took = as ? strlen(as) : 1;
    memcpy(to + n, as ? as : s.text + i, took);
    n += took;
  }
  return n;
}

size_t json_escape (char *to, struct span s) {
  static const char hex[] = "0123456789abcdef";
  size_t i, n = 0;
  for (i = 0; i < s.length; i++) {
    unsigned char c = (unsigned char)s.text[i];
    if (c < ' ') {
      const char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
      memcpy(to + n, code, sizeof code);
      n += sizeof code;
      continue;
    }
    if (c == '"' || c == '\\') to[n++] = '\\';
    to[n++] = (char)c;
  }
  return n;
}

bool xml_can_hold (struct span s) {
  size_t i;
  for (i = 0; i < s.length; i++)
    if ((unsigned char)s.text[i] < ' ' && !is_space(s.text[i])) return false;
  return !s.length || !memchr(s.text, '\f', s.length);
}

bool form_has (struct span form, const char *name) {
  size_t at = 0, n = strlen(name);
  while (at < form.length) {
    if (starts(form, at, name) &&
        (at + n == form.length || form.text[at + n] == '=' || form.text[at + n] == '&'))
      return true;
    at = find_byte(form, at, '&') + 1;
  }
  return false;
}
