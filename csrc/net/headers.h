/*
** headers: the header lines of a request (a counted, immutable-once-sent list) and the reading of a
** response's header block. Names and values that hold CR, LF or NUL, and names that are not RFC 9110
** tokens, are refused here and nowhere else.
*/
#ifndef NET_HEADERS_H
#define NET_HEADERS_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum header_result { HEADER_OK, HEADER_BAD_NAME, HEADER_BAD_VALUE, HEADER_NO_MEMORY };

struct header_list; /* owns a curl_slist, wiped when it is freed, since values may be secrets */

struct header_list *
header_list_new (const struct allocator *memory); /* one reference, empty; NULL: no memory */
struct header_list *
header_list_copy (const struct header_list *from); /* a new list with the same lines; NULL: no memory */
struct header_list *header_list_keep (struct header_list *list);
void header_list_release (struct header_list *list); /* accepts NULL */

/*
** Replaces a line of that name (any case), or appends. An empty value sends the header with an empty
** value. Only while the caller holds the only reference (asserted).
*/
enum header_result header_list_set (struct header_list *list, const char *name, size_t name_length,
                                    const char *value, size_t value_length);

/* May it stand after a header's colon? */
bool header_is_value (const char *text, size_t length);

/* Drops a line of that name if there is one. Only while the caller holds the only reference. */
void header_list_remove (struct header_list *list, const char *name, size_t name_length);

bool header_list_has (const struct header_list *list, const char *name);

/* The value of the line of that name, borrowed until the list is changed or freed; "": an empty one. NULL: there is none. */
const char *header_list_value (const struct header_list *list, const char *name);

/* Bytes of the lines, and some for each, as HTTP/2 counts them or more. */
size_t header_list_size (const struct header_list *list);

/* Do they hold the same lines? Two that hold them in another order may count as different. */
bool header_list_equal (const struct header_list *a, const struct header_list *b);

/* For libcurl, which only reads them: borrowed, until the list is changed or freed. False: no memory. */
bool header_list_lines (struct header_list *list, struct curl_slist **lines);

/* One line of a response's header block; the pointers point into the block. */
struct header_line {
  const char *name, *value;
  size_t name_length, value_length; /* value without surrounding blanks */
};

/*
** The next line from *at on, which starts at 0; false at the end. The status line and lines without a colon
** are passed over.
*/
bool header_next (const char *block, size_t length, size_t *at, struct header_line *line);

/* The first line of that name (any case). */
bool header_find (const char *block, size_t length, const char *name, struct header_line *line);

#pragma GCC visibility pop

#endif
