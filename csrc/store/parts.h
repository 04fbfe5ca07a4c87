/* persistence_parts: what of a session is kept, and how a new one goes on with it; the three files of persistence alone. */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Pushes what is to be kept of the session at 1, a table, or nil. persistence_gather.c */
void persistence_gather (lua_State *L);

/* The session at PERSISTENCE_SESSION goes on with the table at PERSISTENCE_KEPT, all of which the Lua layer has checked. persistence_restore.c */
void persistence_restore (lua_State *L, struct session *s);
enum { PERSISTENCE_OPTIONS = 1, PERSISTENCE_SESSION, PERSISTENCE_KEPT };

/* The host of `uri`, as cookies name it; to be freed with curl_free. NULL: no memory. persistence_gather.c */
char *persistence_host (const struct uri *uri);

#pragma GCC visibility pop

#endif
