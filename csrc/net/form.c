#include "net/form.h"

#include "net/percent.h"

#include <string.h>

/* Not by curl_easy_escape, which would leave a copy of a password in memory that we cannot wipe. */
static bool add_encoded (struct buffer *form, const char *text, size_t length) {
  char code[32 * PERCENT_MOST];
  bool ok = true;
  while (ok && length) {
    size_t part = length < 32 ? length : 32;
    ok = buffer_add(form, code, percent_encode(code, text, part, PERCENT_COMPONENT)) == BUFFER_OK;
    text += part;
    length -= part;
  }
  memory_wipe(code, sizeof code);
  return ok;
}

bool form_add (struct buffer *form, const char *name, const char *value, size_t length) {
  if (form->length && buffer_add(form, "&", 1) != BUFFER_OK) return false;
  return buffer_add(form, name, strlen(name)) == BUFFER_OK && buffer_add(form, "=", 1) == BUFFER_OK &&
         add_encoded(form, value, length);
}
