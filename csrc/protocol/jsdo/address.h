/*
** address: how JSDO's requests are addressed: the option timeStamp, the client context id as a path
** parameter, and the ping service, its address and last good response. Owns what a session keeps for that.
*/
#ifndef PROTOCOL_JSDO_ADDRESS_H
#define PROTOCOL_JSDO_ADDRESS_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Reads the option timeStamp at 1. Raises. */
void jsdo_take_time_stamp (lua_State *L, struct session *s);

/* Frees what the session keeps. */
void jsdo_release (struct session *s);

/*
** Adds a _ts parameter to `uri`, whose reference is taken, if the session has timeStamp. NULL: out of memory,
** or `uri` is.
*/
struct uri *jsdo_stamp (struct session *s, struct uri *uri);

/*
** Adds the client context id to `uri`, whose reference is taken, as path parameter JSESSIONID if the server
** has no other way to recognise the session. NULL: out of memory, or `uri` is NULL.
*/
struct uri *jsdo_address (lua_State *L, struct session *s, struct uri *uri);

/* Keeps the client context id of a response; true if it is a new one. Raises when out of memory. */
bool jsdo_learn_context_id (lua_State *L, int index, struct session *s, const struct finding *found);

/* Forgets the client context id and, if the login has `ended`, the address of the ping service. */
void jsdo_forget_login (lua_State *L, int index, struct session *s, bool ended);

/* The address that answered a ping, borrowed; NULL: unknown. */
struct uri *jsdo_ping_uri (const struct session *s);

/* Keeps that address, whose reference is taken; NULL: forgets it. Without memory it stays unknown. */
void jsdo_set_ping_uri (struct session *s, struct uri *uri);

/*
** Responses to pings are alike: one that was found good is remembered for all sessions of the Lua state, and
** need not be inspected again. Remembering raises when out of memory.
*/
bool jsdo_is_known_pong (lua_State *L, const struct session *s, const struct exchange *x);
void jsdo_remember_pong (lua_State *L, const struct session *s, const struct exchange *x);

/* Stores that address in the table on top, and restores it and the client context id. */
void jsdo_save_fields (lua_State *L, struct session *s);
void jsdo_restore_fields (lua_State *L, int index, struct session *s);

#pragma GCC visibility pop

#endif
