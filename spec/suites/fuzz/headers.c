/*
** A response's header block, read line by line; and lines that are to be sent, of which none may end early.
*/
#include "net/headers.h"
#include "support.h"

static void read_block (const char *block, size_t size) {
  struct header_line line, found;
  size_t at = 0, last = 0;
  while (header_next(block, size, &at, &line)) {
    fuzz_check(at > last && at <= size, "reading goes on, and within the block");
    last = at;
    fuzz_check(line.name >= block && line.name + line.name_length <= block + size, "a name is in the block");
    fuzz_check(line.value >= block && line.value + line.value_length <= block + size,
               "a value is in the block");
    char *name = fuzz_text((const uint8_t *)line.name, line.name_length);
    if (strlen(name) == line.name_length && line.name_length)
      fuzz_check(header_find(block, size, name, &found), "a line that was read is found by its name");
    free(name);
  }
}

/* One line of libcurl's may be several of ours: each has a name, and nothing else ends a line. */
static void check_sent (const char *text) {
  while (*text) {
    const char *end = strstr(text, "\r\n"), *colon = strpbrk(text, ":;");
    size_t length = end ? (size_t)(end - text) : strlen(text);
    fuzz_check(colon && colon > text && colon < text + length, "a line that is sent has a name");
    fuzz_check(!memchr(text, '\r', length) && !memchr(text, '\n', length), "a line that is sent has one end");
    text += length + (end ? 2 : 0);
  }
}

/* The block is name, NUL, value, NUL, ... */
static void send_lines (const char *text, size_t size) {
  struct header_list *list = header_list_new(&fuzz_memory);
  const char *end = text + size;
  while (text < end) {
    size_t name_length = strnlen(text, (size_t)(end - text));
    const char *value = text + name_length < end ? text + name_length + 1 : end;
    size_t value_length = strnlen(value, (size_t)(end - value));
    header_list_set(list, text, name_length, value, value_length);
    if (value_length && value_length % 7 == 0) header_list_remove(list, text, name_length);
    text = value + value_length + 1;
  }
  struct curl_slist *line = NULL;
  if (!header_list_lines(list, &line)) abort();
  for (; line; line = line->next)
    check_sent(line->data);
  header_list_release(header_list_copy(list));
  header_list_release(list);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *text = fuzz_text(data, size);
  read_block(text, size);
  send_lines(text, size);
  free(text);
  return 0;
}
