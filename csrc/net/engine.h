/*
** engine: owns one libcurl multi handle, the poll set, the timers and the pool of easy handles of one Lua
** state. Knows nothing of Lua or sessions. One thread at a time; nothing is shared with other engines but
** libcurl's own global state.
**
** A child of fork has a copy of the engine, but shares its poll set and its connections with the parent, and has not
** its threads: there nothing that libcurl owns is touched, nor even freed; see engine_is_inherited.
**
** No owner is ever called from inside libcurl: finished exchanges and due timers are told from engine_step,
** after libcurl has returned. An owner may submit, cancel, free exchanges, set timers, call engine_step again
** and even engine_free from there.
*/
#ifndef NET_ENGINE_H
#define NET_ENGINE_H

#include "net/exchange.h"
#include "net/timers.h"

#pragma GCC visibility push(hidden)

struct engine_limits {
  long host_connections;  /* at once to one host, and requests under way there; 0: no limit */
  long total_connections; /* at once in all; 0: no limit */
  size_t idle_handles;    /* easy handles kept for reuse */
  bool http1;             /* no HTTP/2 over https, unless a request's transport asks for it */
};

/* 64 connections to one host, no limit in all, 16 idle handles, HTTP/2. */
extern const struct engine_limits engine_default_limits;

struct engine;

/*
** NULL limits: engine_default_limits. What is above a limit waits its turn. NULL when memory or descriptors are
** short.
*/
struct engine *engine_new (const struct engine_limits *limits, const struct allocator *memory);

/*
** Aborts what is in flight, tells nobody, clears every timer. Exchanges that were in flight or not told yet
** are detached (their `engine` is NULL, what their requests named is released) and still to be freed by
** their owners; others may be freed before or after, but see engine_memory. Never waits. Accepts NULL.
*/
void engine_free (struct engine *e);

/*
** Was this process forked since the engine was made? Then engine_submit fails, engine_step does nothing, and what is
** in flight is the parent's; exchanges and the engine may still be freed. Costs no system call.
*/
bool engine_is_inherited (const struct engine *e);

/*
** The engine's own copy of the allocator: what is made with it is to be released before the engine is
** freed.
*/
const struct allocator *engine_memory (const struct engine *e);

/*
** One descriptor that is readable when engine_step has something to do, by the clock too; -1 where there is
** none (the curl_multi_poll build). From the first call on what is begun outside a step costs a system call
** more.
*/
int engine_pollfd (struct engine *e);

/* The owner has something to do of its own: the descriptor is readable until the end of the next step. */
void engine_wake (struct engine *e);

/*
** Seconds until engine_step should be called at the latest; 0: now; < 0: nothing is waited for but the
** descriptor, if that.
*/
double engine_timeout (struct engine *e);

/* Is anything in flight, finished and not told, or a timer set? */
bool engine_pending (const struct engine *e);

/*
** Works, and waits at most `wait` seconds (0: not at all; < 0: as long as it takes, but not when nothing
** pends), until there is an owner to tell; tells those that there are, `context` being passed on. Stops
** when `budget` seconds are used up, counted from the end of the wait (0: no limit): that is looked at after
** each transfer that begins, each socket and each owner; one of each is served at least. The next step does
** the rest. Returns how many were told. A signal ends the wait early. With nothing pending it returns
** at once, and with nothing but timers pending that are not due and `wait` 0, without a system call too.
*/
size_t engine_step (struct engine *e, double wait, double budget, void *context);

/* When the budget of the last step is used up, by clock_now; 0: it had none. */
double engine_stop (const struct engine *e);

/*
** Takes the request up. False: no memory; the exchange is as before and nobody is told. Anything else that is
** wrong with it is told through `finished`.
*/
bool engine_submit (struct engine *e, struct exchange *x);

/* For exchange_free: aborts if it is in flight, and tells nobody. */
void engine_drop (struct engine *e, struct exchange *x);

/*
** Aborts, and frees the bodies; the owner is told FAILURE_CANCELLED at the next step. No harm when it is
** over. Never waits.
*/
void engine_cancel (struct engine *e, struct exchange *x);

/*
** For a session that ends: idle handles let go of this jar and of all else that came with its exchanges
** (credentials, headers, URI, transport); handles still in use do so when they come to rest, unless the jar
** is used again.
*/
void engine_forget_jar (struct engine *e, struct cookie_jar *jar);

/*
** Drops idle handles and, while nothing is in flight, idle connections: for a host that wants the memory
** back, and for tests. The descriptor stays.
*/
void engine_trim (struct engine *e);

/* What is under way goes on, though there be more of it than is allowed now; what waits may begin at once. */
void engine_set_limits (struct engine *e, const struct engine_limits *limits);

bool engine_reserve_timer (struct engine *e); /* so that setting the next one cannot fail; false: no memory */
bool engine_set_timer (struct engine *e, struct timer *timer, double when); /* false: no memory */
void engine_clear_timer (struct engine *e, struct timer *timer);

#pragma GCC visibility pop

#endif
