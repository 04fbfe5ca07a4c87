/*
** catalog_answers: what a server says that a catalog can be known again by (ETag, Last-Modified), and when it
** may be shown to it again: to ask for the same URI, over the same way, by the same user alone.
*/
#ifndef CATALOG_REVALIDATE_H
#define CATALOG_REVALIDATE_H

#include "session/operation.h"

#pragma GCC visibility push(hidden)

/*
** Pushes a string that tells who `op` asks for `uri`, and how, from all others; nil when that cannot be told
** by what a session is made of: credentials or a provider of the catalogs' own, tokens, client certificates,
** header lines of the user's, a login that the server has not accepted.
*/
void revalidate_push_key (lua_State *L, const struct operation *op, const struct uri *uri);

/* Puts validators, each may be NULL, into the header lines of `x`. False: no memory. Raises nothing. */
bool revalidate_ask (struct exchange *x, const char *etag, const char *modified);

/* Pushes { etag, lastModified }, or nil when the answer has neither. */
void revalidate_push_validators (lua_State *L, const struct exchange *x);

/* May what is on the wire be known again by its validators? */
bool revalidate_reusable (const struct exchange *x);

/* Is the answer 304 about what the validators of the table on top are of? */
bool revalidate_confirms (lua_State *L, const struct exchange *x);

#pragma GCC visibility pop

#endif
