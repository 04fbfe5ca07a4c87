/*
** uri_cache: the parsed URIs of catalogs. Sessions ask for the same few again and again, and parsing one
** costs as much as half a request.
*/
#ifndef CATALOG_URI_CACHE_H
#define CATALOG_URI_CACHE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* True if the string at `index` is an absolute URI and no file's. */
bool uri_cache_absolute (lua_State *L, int index);

/*
** Parses the string at `index`, an absolute URI or one relative to serviceURI. Borrowed: it lives as long as
** the value that is pushed. NULL: invalid, *why says why as uri_parse does, and a value is pushed, too.
** Raises when out of memory.
*/
struct uri *uri_cache_push (lua_State *L, const struct session *s, int index, const char **why);

#pragma GCC visibility pop

#endif
