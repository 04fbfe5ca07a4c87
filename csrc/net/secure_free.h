/*
** wiping: libcurl's own memory, overwritten before it is freed, where the system tells how large a block is. libcurl copies
** what it sends (passwords in forms, tokens in headers) and the cookies that it keeps, and frees those copies as they are.
*/
#ifndef NET_SECURE_FREE_H
#define NET_SECURE_FREE_H

#pragma GCC visibility push(hidden)

/* Once in a process. Where somebody else initialised libcurl before, its memory stays as it was. The module is never unloaded. */
void secure_free_init_curl (void);

#pragma GCC visibility pop

#endif
