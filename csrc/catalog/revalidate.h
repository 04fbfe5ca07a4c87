/*
** revalidate: the validators (ETag, Last-Modified) of catalogs, and when a request may carry them: for the
** same URI, by the same transport, as the same user.
*/
#ifndef CATALOG_REVALIDATE_H
#define CATALOG_REVALIDATE_H

#include "session/operation.h"

#pragma GCC visibility push(hidden)

/*
** Pushes a key that identifies the request of `op` for `uri` and its user. nil: validators may not be used,
** because of credentials or a provider for the catalogs alone, tokens, client certificates, header lines of
** the user's, or a login that the server has not accepted.
*/
void revalidate_push_key (lua_State *L, const struct operation *op, const struct uri *uri);

/*
** Puts the validators, each may be NULL, into the header lines of `x`. False: out of memory. Raises nothing.
*/
bool revalidate_ask (struct exchange *x, const char *etag, const char *modified);

/* Pushes { etag, lastModified }; nil: the response has neither. */
void revalidate_push_validators (lua_State *L, const struct exchange *x);

/* True if the response to `x` may be revalidated later. */
bool revalidate_reusable (const struct exchange *x);

/* True if the 304 answers the validators of the table on top. */
bool revalidate_confirms (lua_State *L, const struct exchange *x);

#pragma GCC visibility pop

#endif
