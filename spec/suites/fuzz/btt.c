/*
** The toolkit's messages and cookies: readers stay inside the text, writers inside their room, and come to an
** end.
*/
#include "protocol/btt/cookies.h"
#include "protocol/btt/message.h"
#include "support.h"

static void check_inside (struct span part, struct span whole) {
  fuzz_check(!part.length ||
                 (part.text >= whole.text && part.text + part.length <= whole.text + whole.length),
             "what was read stands in the text");
}

static void read_xml (struct span text) {
  struct xml_reader r;
  size_t events = 0;
  enum xml_event event;
  unsigned depth = 0;
  xml_begin(&r, text);
  while ((event = xml_next(&r)) != XML_DONE && event != XML_BROKEN) {
    fuzz_check(++events <= 2 * text.length + 2, "reading comes to an end");
    if (event == XML_START) depth++;
    if (event == XML_END) fuzz_check(depth-- > 0, "what ends had begun");
    if (event == XML_START || event == XML_END) check_inside(r.name, text);
    if (event == XML_TEXT || event == XML_CDATA) check_inside(r.content, text);
  }
  if (event == XML_DONE) fuzz_check(depth == 0, "a document that is well formed has no open element");
}

static void read_html (struct span text) {
  struct html_reader r = {text, 0};
  struct span name, value;
  size_t found = 0;
  while (html_next_hidden(&r, &name, &value)) {
    fuzz_check(++found <= text.length, "reading comes to an end");
    check_inside(name, text);
    check_inside(value, text);
  }
}

static void write_all (struct span text) {
  char *room = malloc(text.length * ENCODED_MOST + 1);
  fuzz_check(markup_decode(room, text) <= text.length, "decoding takes no more room than the text");
  fuzz_check(form_encode(room, text) <= text.length * ENCODED_MOST, "a form has room");
  fuzz_check(xml_encode(room, text) <= text.length * ENCODED_MOST, "XML has room");
  fuzz_check(json_escape(room, text) <= text.length * ENCODED_MOST, "JSON has room");
  free(room);
}

static void take_cookies (struct span text) {
  struct cookies all;
  struct buffer line;
  cookies_init(&all, &fuzz_memory);
  buffer_init(&line, &fuzz_memory, 1 << 24);
  cookies_take(&all, text.text, text.length);
  cookies_set(&all, text.text, text.length / 2, text.text + text.length / 2, text.length - text.length / 2);
  fuzz_check(all.count <= COOKIES_MOST && all.bytes <= COOKIES_MOST_BYTES, "the store is bounded");
  fuzz_check(cookies_write(&all, &line), "there is memory");
  fuzz_check(!line.length || (!memchr(line.data, '\r', line.length) && !memchr(line.data, '\n', line.length)),
             "the line has one end");
  buffer_wipe(&line);
  cookies_clear(&all);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  char *copy = fuzz_text(data, size);
  struct span text = {copy, size};
  read_xml(text);
  read_html(text);
  write_all(text);
  take_cookies(text);
  check_inside(message_code(text), text);
  check_inside(span_strip(text), text);
  message_look(text, text);
  message_names(text, "CSS00");
  form_has(text, "dse_sessionId");
  xml_is_name(text);
  xml_can_hold(text);
  free(copy);
  return 0;
}
