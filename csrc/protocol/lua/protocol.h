/* protocol: the protocols that Lua programs define by datasession.defineProtocol(name, functions). */
#ifndef PROTOCOL_LUA_PROTOCOL_H
#define PROTOCOL_LUA_PROTOCOL_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_lua, protocol_lua_implicit;

/*
** Pushes the definition of that name, the first SESSION_DATA of its sessions. NULL, and nothing pushed: there
** is none.
*/
const struct protocol *protocol_lua_find (lua_State *L, const char *name);

/* protocol(name, functions) in the table on top. */
void protocol_lua_register (lua_State *L);

#pragma GCC visibility pop

#endif
