/*
** message: reads and writes the toolkit's messages: forms, flat XML, the hidden inputs of HTML pages. Plain C
** over (text, length), without allocation and without Lua. The text may be any bytes. Readers look at each
** byte a bounded number of times. JSON is read by runtime/json.h.
**
** Why not expat: it refuses a whole reply for an entity of HTML, a byte that is not UTF-8, a bare '&' or an
** attribute without quotes; this reader takes them as written. Expat allocates, and its handlers must not
** raise, so they could push no values. It took 5 times as long for 4 MB and 13 times for a reply of 120
** bytes.
*/
#ifndef PROTOCOL_BTT_MESSAGE_H
#define PROTOCOL_BTT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Part of a text that the caller keeps. */
struct span {
  const char *text;
  size_t length;
};

/* Without the blanks, and one pair of double quotes, around it. */
struct span span_strip (struct span s);
bool span_is (struct span s, const char *text);

/* The format of a reply, by its first bytes and `type`, its Content-Type or NULL. */
enum message_look { LOOK_EMPTY, LOOK_JSON, LOOK_XML, LOOK_HTML, LOOK_OTHER };
enum message_look message_look (struct span body, struct span type);

/* True if `word` is in the text, with no letter or digit on either side. */
bool message_names (struct span text, const char *word);

/*
** The first code in the text ("CSS07") or, without one, the first exception of the toolkit ("DSEException").
** A length of 0: none.
*/
struct span message_code (struct span text);

/* XML: names and contents of elements. Skips attributes, comments, instructions and document types. */
enum { XML_MOST_DEPTH = 24 };
enum xml_event {
  XML_START,  /* `name` */
  XML_TEXT,   /* `content`, entities as written */
  XML_CDATA,  /* `content`, which has no entities */
  XML_END,    /* of the element `name` */
  XML_DONE,   /* of the document */
  XML_BROKEN, /* not well formed, or deeper than XML_MOST_DEPTH */
};

struct xml_reader {
  struct span text;
  size_t at;
  unsigned depth;
  bool empty; /* after <name/>: the next event is its end */
  bool ended; /* the root element has ended */
  struct span open[XML_MOST_DEPTH];
  struct span name, content;
};

void xml_begin (struct xml_reader *r, struct span text);
enum xml_event xml_next (struct xml_reader *r);

/* HTML: the hidden inputs of all forms of a page. */
struct html_reader {
  struct span text;
  size_t at;
};

bool html_next_hidden (struct html_reader *r, struct span *name, struct span *value); /* false: no more */

/* Replaces entities; `to` has room for s.length bytes. Returns the length of the result. */
size_t markup_decode (char *to, struct span s);

/*
** Writing: `to` has room for ENCODED_MOST bytes for each byte of the text. Each returns the length of the
** result.
*/
enum { ENCODED_MOST = 6 };
size_t form_encode (char *to, struct span s); /* as encodeURIComponent */
size_t xml_encode (char *to, struct span s);
size_t json_escape (char *to, struct span s); /* of a string in JSON, without its quotes */
bool xml_can_hold (struct span s);            /* False: it has control bytes that XML cannot express */
bool xml_is_name (struct span s);

/* True if the form, or the query, gives a value to `name`. */
bool form_has (struct span form, const char *name);

#pragma GCC visibility pop

#endif
