/*
** uri: an absolute http or https URI, parsed once by libcurl and then immutable. Counted: uri_parse and
** uri_resolve give the caller one reference, uri_keep another, uri_release takes one back and frees with
** the last. Not shared between threads.
*/
#ifndef NET_URI_H
#define NET_URI_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct uri;

/* What *why points to when memory is short: the one reason that says nothing of the URI. */
extern const char uri_no_memory[];

/*
** NULL when it is no absolute http or https URI with a host, or carries a user name or password; *why is
** then one phrase that completes "the URI ..." ("has no host", "is not http or https", "holds a user
** name or password: pass them to login instead", uri_no_memory). Any fragment is dropped, and what a URI
** may not hold (blanks, non-ASCII bytes) is percent-encoded.
*/
struct uri *uri_parse (const struct allocator *memory, const char *text, size_t length, const char **why);

/* `reference` resolved against `base` as RFC 3986 says; the same refusals. */
struct uri *uri_resolve (const struct uri *base, const char *reference, size_t length, const char **why);

/*
** `base` with `path` (which starts with '/') appended to its path, whatever slashes base ends in, and the
** query `path` may hold. `base` keeps the latest few that have no query, for those who ask for them again.
** NULL when memory is short, or `path` holds a control character.
*/
struct uri *uri_append (struct uri *base, const char *path);

struct uri *uri_keep (struct uri *u);
void uri_release (struct uri *u); /* accepts NULL */

/* Normalised text, as sent. Lives as long as the uri. */
const char *uri_text (const struct uri *u);

/*
** For people and logs: without the query and without path parameters (";JSESSIONID=..."), which may hold
** secrets.
*/
const char *uri_public_text (const struct uri *u);

bool uri_hides (const struct uri *u); /* is that another text? */

/* scheme://host:port with the port always there; equal strings are equal origins. */
const char *uri_origin (const struct uri *u);
unsigned uri_origin_hash (const struct uri *u);
bool uri_same_origin (const struct uri *a, const struct uri *b);
bool uri_is_https (const struct uri *u);

/* Is `u` at or below the path of `base`, in the same origin? "/App2" is not below "/App". */
bool uri_within (const struct uri *base, const struct uri *u);

/* For CURLOPT_CURLU. Borrowed; must not be changed. */
CURLU *uri_handle (const struct uri *u);

#pragma GCC visibility pop

#endif
