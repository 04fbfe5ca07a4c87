/*
** uri: an absolute http or https URI, parsed once by libcurl and then immutable. Reference-counted:
** uri_parse, uri_resolve and uri_append give the caller one reference, uri_keep another; uri_release takes
** one back and frees with the last. Not shared between threads.
*/
#ifndef NET_URI_H
#define NET_URI_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct uri;

/* *why when memory runs out: the only reason that does not describe the URI. */
extern const char uri_no_memory[];

/*
** NULL if the text is not an absolute http or https URI with a host, or holds a user name or password; *why
** is then a phrase that completes "the URI ..." ("has no host", "is not http or https", "holds a user name or
** password: pass them to login instead", uri_no_memory). Drops any fragment and percent-encodes what a URI
** may not hold (blanks, non-ASCII bytes).
*/
struct uri *uri_parse (const struct allocator *memory, const char *text, size_t length, const char **why);

/* Resolves `reference` against `base` by RFC 3986. NULL and *why as uri_parse. */
struct uri *uri_resolve (const struct uri *base, const char *reference, size_t length, const char **why);

/* As uri_resolve. `base` keeps the latest few results of absolute references without a query for reuse. */
struct uri *uri_resolve_kept (struct uri *base, const char *reference, size_t length, const char **why);

/*
** `base` with `path` appended to its path, whether or not base ends in slashes. `path` starts with '/' and
** may hold a query. `base` keeps the latest few results without a query for reuse. NULL: out of memory, or
** `path` holds a control character.
*/
struct uri *uri_append (struct uri *base, const char *path);

struct uri *uri_keep (struct uri *u);
void uri_release (struct uri *u); /* accepts NULL */

/* The normalised text, as sent. Lives as long as the uri. */
const char *uri_text (const struct uri *u);

/*
** For people and logs: without the query and the path parameters (";JSESSIONID=..."), which may hold secrets.
*/
const char *uri_public_text (const struct uri *u);

bool uri_hides (const struct uri *u); /* true if the public text differs from the text */

/* scheme://host:port, always with the port; equal strings are equal origins. */
const char *uri_origin (const struct uri *u);
unsigned uri_origin_hash (const struct uri *u);
bool uri_same_origin (const struct uri *a, const struct uri *b);
bool uri_is_https (const struct uri *u);

/* True if `u` has the same origin as `base` and is at or below its path. "/App2" is not below "/App". */
bool uri_within (const struct uri *base, const struct uri *u);

/* For CURLOPT_CURLU. Borrowed; must not be changed. */
CURLU *uri_handle (const struct uri *u);

#pragma GCC visibility pop

#endif
