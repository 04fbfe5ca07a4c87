/*
** arguments: those of addCatalog: addCatalog(uris, username, password [, options]) or addCatalog(uris [,
** options]). Separate credentials go to every catalog of the call, wherever it is.
*/
#ifndef CATALOG_ARGUMENTS_H
#define CATALOG_ARGUMENTS_H

#include "session/operation.h"
#include "session/session.h"

#pragma GCC visibility push(hidden)

enum { ARGUMENTS_URIS = 2, ARGUMENTS_PROVIDER = 6 };

/*
** Checks the arguments of addCatalog, from 2 on. Leaves an array of the URIs at ARGUMENTS_URIS and the
** provider of the options, or nil, at ARGUMENTS_PROVIDER. Returns the limit of time in seconds; 0: none.
** Raises for mistakes.
*/
double arguments_check (lua_State *L, const struct session *s);

/* Gives the operation the identity of separate credentials, if there are any. False: out of memory. */
bool arguments_take_identity (lua_State *L, const struct session *s, struct operation *op);

/* The reason why nothing is sent, static; NULL: there is none. */
const char *arguments_refusal (lua_State *L, const struct operation *op);

#pragma GCC visibility pop

#endif
