/* parts: what the files of store share: which data of a session is stored, and how it is restored. */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Pushes a table of the data to store for the session at 1; or nil. save.c */
void store_gather (lua_State *L);

/*
** Restores the session at STORE_SESSION from the table at STORE_KEPT, which the Lua layer has checked.
** restore.c
*/
void store_restore (lua_State *L, struct session *s);
enum { STORE_OPTIONS = 1, STORE_SESSION, STORE_KEPT };

/* The host of `uri` as cookies name it, to be freed with curl_free. NULL: out of memory. save.c */
char *store_host (const struct uri *uri);

#pragma GCC visibility pop

#endif
