/*
** btt_message: the texts of the toolkit's messages, read and written: forms, flat XML, the hidden inputs of HTML pages.
** Plain C over (text, length): nothing is allocated, no Lua; what comes from a server may be anything at all. Readers are
** loops over the text, each byte looked at a bounded number of times. (JSON is the codec's: json.h.)
*/
#ifndef PROTOCOL_BTT_MESSAGE_H
#define PROTOCOL_BTT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* Part of a text that somebody else keeps. */
struct span {
  const char *text;
  size_t length;
};

/* Without the blanks, and one pair of double quotes, that stand around it. */
struct span span_strip (struct span s);
bool span_is (struct span s, const char *text);

/* Which of the formats a reply is in, by its looks; `type` is its Content-Type, or NULL. */
enum message_look { LOOK_EMPTY, LOOK_JSON, LOOK_XML, LOOK_HTML, LOOK_OTHER };
enum message_look message_look (struct span body, struct span type);

/* Is `word` in the text, with no letter or digit on either side? */
bool message_names (struct span text, const char *word);

/* The first code ("CSS07") or, without one, the first exception of the toolkit's ("DSEException") in the text; of length 0: none. */
struct span message_code (struct span text);

/* XML. What an element is called, what stands in it; attributes, comments, instructions and document types are passed over. */
enum { XML_MOST_DEPTH = 24 };
enum xml_event {
  XML_START,  /* `name` */
  XML_TEXT,   /* `content`, as it stands there */
  XML_CDATA,  /* `content`, which has no entities */
  XML_END,    /* of the element `name` */
  XML_DONE,   /* of the document */
  XML_BROKEN, /* not well formed, or deeper than XML_MOST_DEPTH */
};

struct xml_reader {
  struct span text;
  size_t at;
  unsigned depth;
  bool empty; /* <name/>: its end is still to be told */
  bool ended; /* the root element */
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

/* Entities replaced; `to` has room for s.length bytes. How many it takes. */
size_t markup_decode (char *to, struct span s);

/* Writing: `to` has room for ENCODED_MOST bytes for each of the text. How many it takes. */
enum { ENCODED_MOST = 6 };
size_t form_encode (char *to, struct span s); /* as encodeURIComponent */
size_t xml_encode (char *to, struct span s);
size_t json_escape (char *to, struct span s); /* of a string in JSON, without its quotes */
bool xml_can_hold (struct span s);            /* XML has no way to write most control bytes */
bool xml_is_name (struct span s);
/* True if all of it is UTF-8, without surrogates. */
bool text_is_utf8 (struct span s);

/* Does the form, or the query, give a value to `name`? */
bool form_has (struct span form, const char *name);

#pragma GCC visibility pop

#endif
