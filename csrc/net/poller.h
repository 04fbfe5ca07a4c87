/*
** poller: the set of descriptors that libcurl waits for, and the time of libcurl's next timer. Two files
** implement it, one of which compiles to nothing: poller_descriptor.c if there is epoll or kqueue (its set is
** one descriptor, so that a host's event loop can wait for all of libcurl at once), else poller_curl.c, over
** curl_multi_poll. DATASESSION_NO_EPOLL selects the latter everywhere; DATASESSION_KQUEUE selects kqueue.
**
** Owns the set; borrows the multi handle. Callbacks run inside libcurl and only note what changed.
*/
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

#if defined(DATASESSION_NO_EPOLL)
#define POLLER_KQUEUE 0
#define POLLER_DESCRIPTOR 0
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(DATASESSION_KQUEUE)
#define POLLER_KQUEUE 1
#define POLLER_DESCRIPTOR 1
#elif defined(__linux__)
#define POLLER_KQUEUE 0
#define POLLER_DESCRIPTOR 1
#else
#define POLLER_KQUEUE 0
#define POLLER_DESCRIPTOR 0
#endif

struct poller;

struct poller *poller_new (const struct allocator *memory); /* NULL: out of memory or descriptors */

/* Free the multi handle first: it calls the poller until its end. Accepts NULL. */
void poller_free (struct poller *p);

/* Makes this the poller of the multi handle. When that one is freed, the poller may serve another. */
bool poller_attach (struct poller *p, CURLM *multi);

/*
** A descriptor that is readable when poller_wait would find something or the time of poller_ring has come.
** -1: there is none, or the system ran out of descriptors. Before the first call poller_ring does nothing.
*/
int poller_fd (struct poller *p);

/* Makes poller_fd readable at `when` of clock_now or before; 0: now; < 0: never. */
void poller_ring (struct poller *p, double when);

/* The same at the end of a step: an earlier time that has come no longer counts. */
void poller_ring_next (struct poller *p, double when);

/* The time for poller_work, by clock_now; 0: now; < 0: libcurl waits only for descriptors. */
double poller_due (struct poller *p);

/* True if libcurl watches a descriptor. */
bool poller_watches (const struct poller *p);

/*
** True if libcurl ran out of memory for its records of sockets. All continues, less promptly; replace the
** multi handle when nothing is pending.
*/
bool poller_is_lost (const struct poller *p);

/* Runs libcurl's due timers. */
void poller_work (struct poller *p);

/* Waits at most `seconds` for work for poller_serve. False: a signal came first. */
bool poller_wait (struct poller *p, double seconds);

/* Lets libcurl work on one descriptor that poller_wait found. False: there is none left. */
bool poller_serve (struct poller *p);

/* True if poller_serve has no more to do, and the last look saw all that was ready. */
bool poller_is_through (const struct poller *p);

/* A time of clock_now: libcurl has worked on every descriptor that was ready then. */
double poller_looked (const struct poller *p);

/* True if the last look found a descriptor that was ready. */
bool poller_found (const struct poller *p);

#pragma GCC visibility pop

#endif
