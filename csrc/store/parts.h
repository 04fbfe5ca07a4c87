/*
** persistence_parts: what of a session is kept, and how a new one goes on with it; the three files of
** persistence alone.
*/
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Pushes what is to be kept of the session at 1, a table, or nil. store_gather.c */
void store_gather (lua_State *L);

/*
** The session at STORE_SESSION goes on with the table at STORE_KEPT, all of which the Lua layer has checked.
** store_restore.c
*/
void store_restore (lua_State *L, struct session *s);
enum { STORE_OPTIONS = 1, STORE_SESSION, STORE_KEPT };

/* The host of `uri`, as cookies name it; to be freed with curl_free. NULL: no memory. store_gather.c */
char *store_host (const struct uri *uri);

#pragma GCC visibility pop

#endif
