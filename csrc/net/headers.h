/*
** headers: the header lines of a request (a reference-counted list, immutable once sent) and the parser of a
** response's header block. Only this file refuses names and values: values with CR, LF or NUL, and names that
** are not RFC 9110 tokens.
*/
#ifndef NET_HEADERS_H
#define NET_HEADERS_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum header_result { HEADER_OK, HEADER_BAD_NAME, HEADER_BAD_VALUE, HEADER_NO_MEMORY };

struct header_list; /* owns a curl_slist, wiped when freed: values may be secrets */

struct header_list *
header_list_new (const struct allocator *memory); /* one reference, empty; NULL: out of memory */
struct header_list *
header_list_copy (const struct header_list *from); /* a new list with the same lines; NULL: out of memory */
struct header_list *header_list_keep (struct header_list *list);
void header_list_release (struct header_list *list); /* accepts NULL */

/*
** Replaces the line of that name (any case), or appends one. An empty value sends the header with an empty
** value. The caller must hold the only reference (asserted).
*/
enum header_result header_list_set (struct header_list *list, const char *name, size_t name_length,
                                    const char *value, size_t value_length);

/* True if the text may be a header's name. */
bool header_is_name (const char *text, size_t length);

/* True if the text may be a header's value. */
bool header_is_value (const char *text, size_t length);

/* Removes the line of that name if there is one. The caller must hold the only reference. */
void header_list_remove (struct header_list *list, const char *name, size_t name_length);

bool header_list_has (const struct header_list *list, const char *name);

/*
** The value of the line of that name, borrowed until the list is changed or freed; "" if it is empty. NULL:
** there is no such line.
*/
const char *header_list_value (const struct header_list *list, const char *name);

/* The size of the lines as HTTP/2 counts it, or more. */
size_t header_list_size (const struct header_list *list);

/* True if both hold the same lines. Two with another order may count as different. */
bool header_list_equal (const struct header_list *a, const struct header_list *b);

/*
** The lines for libcurl, which only reads them: borrowed until the list is changed or freed. False: out of
** memory.
*/
bool header_list_lines (struct header_list *list, struct curl_slist **lines);

/* One line of a response's header block; the pointers point into the block. */
struct header_line {
  const char *name, *value;
  size_t name_length, value_length; /* the value without surrounding blanks */
};

/*
** Reads the next line from *at, which starts at 0. Skips the status line and lines without a colon. False: at
** the end.
*/
bool header_next (const char *block, size_t length, size_t *at, struct header_line *line);

/* True if the block has a line of that name, in any case; *line is the first. */
bool header_find (const char *block, size_t length, const char *name, struct header_line *line);

#pragma GCC visibility pop

#endif
