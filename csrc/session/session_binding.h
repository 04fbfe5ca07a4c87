/* session_binding: the properties and methods of a session. */
#ifndef SESSION_SESSION_BINDING_H
#define SESSION_SESSION_BINDING_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Registers the type with its properties and methods. */
void session_register (lua_State *L);

#pragma GCC visibility pop

#endif
