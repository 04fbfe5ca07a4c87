#include "net/form.h"

#include "net/ascii.h"

#include <string.h>

static bool is_plain (char c) {
  return ascii_is_alnum(c) || (c && strchr("-_.!~*'()", c));
}

/* Not by curl_easy_escape, which would leave a copy of a password in memory that we cannot wipe. */
static bool add_encoded (struct buffer *form, const char *text, size_t length) {
  static const char hex[] = "0123456789ABCDEF";
  size_t i;
  for (i = 0; i < length; i++) {
    unsigned char c = (unsigned char)text[i];
    const char code[3] = {'%', hex[c >> 4], hex[c & 15]};
    enum buffer_result added =
        is_plain(text[i]) ? buffer_add(form, text + i, 1) : buffer_add(form, code, sizeof code);
    if (added != BUFFER_OK) return false;
  }
  return true;
}

bool form_add (struct buffer *form, const char *name, const char *value, size_t length) {
  if (form->length && buffer_add(form, "&", 1) != BUFFER_OK) return false;
  return buffer_add(form, name, strlen(name)) == BUFFER_OK && buffer_add(form, "=", 1) == BUFFER_OK &&
         add_encoded(form, value, length);
}
