/* session_new: the constructor of a session. */
#ifndef SESSION_SESSION_NEW_H
#define SESSION_SESSION_NEW_H

#include "session/session.h"

#pragma GCC visibility push(hidden)

/* Reads the option authenticationModel. `expected` lists the allowed names, quoted, for the message. */
enum model session_model_option (lua_State *L, int index, const char *expected);

/*
** Reads the option `name`, a URI, and leaves it on the stack as the property shows it, without trailing
** slashes. Returns a new reference.
*/
struct uri *session_uri_option (lua_State *L, struct loop *loop, int index, const char *name);

/* The constructor: new(options). */
int session_new (lua_State *L);

/* True if no protocol of the library has that name. */
bool protocol_name_is_free (lua_State *L, const char *name);

/* Adds `new`, `newFrom`, `checkOptions` and `optionNames` to the table on top. */
void session_new_register (lua_State *L);

#pragma GCC visibility pop

#endif
