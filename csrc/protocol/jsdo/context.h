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
** Parses the properties of a response's header line and keeps them, or that they are wrong, until the next
** response. An empty value or null: no properties. Raises on memory.
*/
void context_hear (lua_State *L, const struct session *s, const char *text, size_t length);

/* True if the line last heard is `text`, and is a JSON object that can be sent back. Raises nothing. */
bool context_is_good (lua_State *L, const struct session *s, const char *text);

/* Gives the session at `session` the properties of that line. Raises on memory. */
void context_accept (lua_State *L, int session, const char *text, size_t length);

#pragma GCC visibility pop

#endif
