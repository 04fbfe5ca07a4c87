/*
** secure_free: overwrites libcurl's memory before it is freed, if the system tells a block's size. libcurl
** copies what it sends (passwords in forms, tokens in headers) and the cookies, and does not wipe those
** copies itself.
*/
#ifndef NET_SECURE_FREE_H
#define NET_SECURE_FREE_H

#pragma GCC visibility push(hidden)

/*
** Initialises libcurl; call it once in a process. If the host initialised libcurl before, its memory is not
** overwritten. The module is never unloaded.
*/
void secure_free_init_curl (void);

#pragma GCC visibility pop

#endif
