/*
** context: the properties that requests and responses of a session carry as one JSON object, in the header
** X-CLIENT-PROPS. They survive logout. The session keeps its own table of them and the header's text.
*/
#ifndef PROTOCOL_JSDO_CONTEXT_H
#define PROTOCOL_JSDO_CONTEXT_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct session;

/*
** Adds setContext([properties]), setContextProperty(name [, value]), getContext() and
** getContextProperty(name) to the table `methods` of the table on top.
*/
void context_register (lua_State *L);

/* setContext; also reads the option context. */
int context_set (lua_State *L);

/* Pushes the session's properties, which the caller must not change; nil: none. Raises nothing. */
void context_push (lua_State *L, int session);

/*
** Pushes the value of X-CLIENT-PROPS, made at the first call; nil: none. False, and an error is pushed: out
** of memory. Raises nothing.
*/
bool context_push_text (lua_State *L, int session);

/*
** Gives the session at `session` the properties in the table at `properties`. Raises for a value that JSON
** cannot express.
*/
void context_replace (lua_State *L, int session, int properties);

/*
** Parses the properties of a response's header line and keeps them until context_accept, which is given the
** same `text`. An empty value or null: no properties. False: it is no JSON object, or cannot be sent back.
** Raises on memory.
*/
bool context_offer (lua_State *L, const struct session *s, const char *text, size_t length);

/* Gives the session at `session` the properties that context_offer has parsed. Raises on memory. */
void context_accept (lua_State *L, int session, const char *text, size_t length);

#pragma GCC visibility pop

#endif
