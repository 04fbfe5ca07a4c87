/*
** poller: the set of descriptors that libcurl waits for, and when libcurl wants to be called without any.
** Two files implement it, one of which compiles to nothing: poller_epoll.c where there is epoll (its
** set is one descriptor, so that a host's event loop can wait for all of libcurl at once), else
** poller_curl.c, over curl_multi_poll. DATASESSION_NO_EPOLL chooses the latter everywhere.
**
** Owns the set; borrows the multi handle. Callbacks run inside libcurl and only note.
*/
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include "allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

#if defined(__linux__) && !defined(DATASESSION_NO_EPOLL)
#define POLLER_EPOLL 1
#else
#define POLLER_EPOLL 0
#endif

struct poller;

struct poller *poller_new (const struct allocator *memory); /* NULL: no memory or descriptors */
void poller_free (struct poller *p); /* accepts NULL; after the multi handle, which calls back to its end */

/* Makes this the poller of that multi handle. A poller may serve a second one after the first was freed. */
bool poller_attach (struct poller *p, CURLM *multi);

/* Readable when poller_wait would find something; -1: there is none. */
int poller_fd (const struct poller *p);

/* When poller_work is to be called, by clock_now; 0: now; < 0: libcurl waits for descriptors alone. */
double poller_due (struct poller *p);

/* Does libcurl watch any descriptor? */
bool poller_watches (const struct poller *p);

/*
** libcurl had no memory for what it knows of sockets. All goes on, less promptly; the multi handle is to be replaced as soon as
** nothing is in flight.
*/
bool poller_is_lost (const struct poller *p);

/* Lets libcurl do what is due by the clock. */
void poller_work (struct poller *p);

/* Waits at most that long for a descriptor and lets libcurl work on it. False: a signal came first. */
bool poller_wait (struct poller *p, double seconds);

#pragma GCC visibility pop

#endif
