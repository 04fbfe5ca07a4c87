/*
** catalog_uris: the URIs that catalogs were asked for by, parsed once: sessions ask for the same few again
** and again, and to parse one costs as much as half a request.
*/
#ifndef CATALOG_URI_CACHE_H
#define CATALOG_URI_CACHE_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* The string at `index` is an absolute URI, but a file's. */
bool uri_cache_absolute (lua_State *L, int index);

/*
** The URI that the string at `index` is, or, relative to serviceURI, stands for. Borrowed: it lives while the
** value that is pushed does. NULL when there is none: *why as uri_parse has it; a value is pushed
** nevertheless. Raises on memory.
*/
struct uri *uri_cache_push (lua_State *L, const struct session *s, int index, const char **why);

#pragma GCC visibility pop

#endif
