/*
** context: the properties that travel with a session's requests and answers as one JSON object, in the header
** X-CLIENT-PROPS. They survive logout. The session keeps a table of its own and, beside it, the header's text.
*/
#ifndef PROTOCOL_JSDO_CONTEXT_H
#define PROTOCOL_JSDO_CONTEXT_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*
** Adds setContext([properties]), setContextProperty(name [, value]), getContext() and getContextProperty(name) to the table
** `methods` of the table on top.
*/
void context_register (lua_State *L);

/* setContext, for the option context. */
int context_set (lua_State *L);

/* Pushes the session's properties, which are not to be changed; nil: none. Raises nothing. */
void context_push (lua_State *L, int session);

/* Pushes the value of X-CLIENT-PROPS, made when first asked for; nil: none. False, and an error is pushed: no memory. Raises nothing. */
bool context_push_text (lua_State *L, int session);

/* Takes over the properties in the table at `properties`, for the session at `session`. Raises for what JSON cannot say. */
void context_replace (lua_State *L, int session, int properties);

/*
** Pushes the properties that a server's header says: a new table; for an empty value or null an empty one. False, and
** nothing pushed, when it is no JSON object, or one that could not be sent back.
*/
bool context_parse (lua_State *L, const char *text, size_t length);

#pragma GCC visibility pop

#endif
