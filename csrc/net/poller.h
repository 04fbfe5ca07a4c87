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

#include "net/allocator.h"

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

/*
** Readable when poller_wait would find something, or the time of poller_ring has come. -1: there is none, or
** the system had no descriptor. Until it is asked for, poller_ring does nothing.
*/
int poller_fd (struct poller *p);

/* Makes poller_fd readable at that time of clock_now at the latest; 0: now; < 0: no time. */
void poller_ring (struct poller *p, double when);

/* The same at the end of a step: a time that has come is over. */
void poller_ring_next (struct poller *p, double when);

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

/* Waits at most that long until there is something for poller_serve. False: a signal came first. */
bool poller_wait (struct poller *p, double seconds);

/* Lets libcurl work on one descriptor that poller_wait has found. False: there is none left. */
bool poller_serve (struct poller *p);

/* True if poller_serve has no more to do, and the last look saw all that was ready. */
bool poller_is_through (const struct poller *p);

/* By clock_now: libcurl has worked on every descriptor that was ready then. */
double poller_looked (const struct poller *p);

/* True if the last look found a descriptor that was ready. */
bool poller_found (const struct poller *p);

#pragma GCC visibility pop

#endif
