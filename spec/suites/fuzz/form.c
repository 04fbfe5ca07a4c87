/*
** Forms: whatever a field's value is, what is written holds no byte that a form's may not, and reads as the
** value again.
*/
#include "net/form.h"
#include "support.h"

#include <ctype.h>

static void check_bytes (const struct buffer *form) {
  for (size_t i = 0; i < form->length; i++)
    fuzz_check(isalnum((unsigned char)form->data[i]) || strchr("-_.!~*'()%=&", form->data[i]),
               "a form has plain bytes only");
}

static uint8_t digit (char c) {
  return (uint8_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Undoes what was done to a value; the number of bytes. */
static size_t decode (uint8_t *to, const char *text, size_t length) {
  size_t n = 0;
  for (size_t i = 0; i < length; n++) {
    bool coded = text[i] == '%';
    fuzz_check(!coded || i + 2 < length, "a code has two digits");
    to[n] = (uint8_t)(coded ? digit(text[i + 1]) << 4 | digit(text[i + 2]) : (uint8_t)text[i]);
    i += coded ? 3 : 1;
  }
  return n;
}

/* The field that begins at `from`; what follows it. */
static size_t check_field (const struct buffer *form, size_t from, const uint8_t *value, size_t length) {
  size_t start = from + 5, end = start;
  fuzz_check(form->length >= start && !memcmp(form->data + from, "name=", 5), "a field begins with its name");
  while (end < form->length && form->data[end] != '&')
    end++;
  uint8_t *read = fuzz_room(end - start);
  fuzz_check(decode(read, form->data + start, end - start) == length &&
                 !(length && memcmp(read, value, length)),
             "a value reads as it was");
  free(read);
  return end + 1;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  size_t first = size / 2;
  struct buffer form;
  buffer_init(&form, &fuzz_memory, (size_t)-1);
  fuzz_check(form_add(&form, "name", (const char *)data, first), "there is memory");
  fuzz_check(form_add(&form, "name", (const char *)data + first, size - first), "there is memory");
  check_bytes(&form);
  size_t second = check_field(&form, 0, data, first);
  fuzz_check(check_field(&form, second, data + first, size - first) == form.length + 1,
             "there are two fields");
  buffer_wipe(&form);
  return 0;
}
