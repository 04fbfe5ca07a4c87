/*
** engine: owns one libcurl multi handle, the poll set, the timers and the pool of easy handles of one Lua
** state. Knows nothing of Lua or sessions. One thread at a time. Engines share nothing but libcurl's global
** state.
**
** A child of fork has a copy of the engine, but shares its poll set and its connections with the parent and
** lacks its threads. In the child the engine neither touches nor frees what libcurl owns; see
** engine_is_inherited.
**
** The engine never calls an owner from inside libcurl: engine_step reports finished exchanges and fires due
** timers after libcurl has returned. From there an owner may submit, cancel and free exchanges, set timers,
** and call engine_step and engine_free.
*/
#ifndef NET_ENGINE_H
#define NET_ENGINE_H

#include "net/exchange.h"
#include "net/timers.h"

#pragma GCC visibility push(hidden)

struct engine_limits {
  long host_connections;  /* connections to one host, and requests that run there; 0: no limit */
  long total_connections; /* connections in all; 0: no limit */
  size_t idle_handles;    /* easy handles kept for reuse */
  bool http1;             /* no HTTP/2 over https unless a request's transport asks for it */
};

/* 64 connections to one host, no limit in all, 16 idle handles, HTTP/2. */
extern const struct engine_limits engine_default_limits;

struct engine;
struct recorder;

/*
** NULL limits: engine_default_limits. Requests above a limit wait. Returns NULL when memory or file
** descriptors run out.
*/
struct engine *engine_new (const struct engine_limits *limits, const struct allocator *memory);

/*
** Aborts pending exchanges without a report and clears every timer. Exchanges that are pending, or finished
** and not reported, are detached: their `engine` is NULL and what their requests named is released. Their
** owners still free them. Other exchanges may be freed before or after, but see engine_memory. Never waits.
** Accepts NULL.
*/
void engine_free (struct engine *e);

/*
** True if this process was forked since the engine was created. Then engine_submit fails, engine_step does
** nothing, and pending exchanges are the parent's; exchanges and the engine may still be freed. Costs no
** system call.
*/
bool engine_is_inherited (const struct engine *e);

/* The engine's own copy of the allocator: free what you allocate with it before the engine. */
const struct allocator *engine_memory (const struct engine *e);

/* An exchange of this engine; the caller owns it. NULL: out of memory. */
struct exchange *engine_new_exchange (struct engine *e);

/*
** A descriptor that is readable when engine_step has something to do, also when a time has come; -1: there is
** none (the curl_multi_poll build). After the first call, each exchange or timer that is begun outside a step
** costs one more system call.
*/
int engine_pollfd (struct engine *e);

/* Makes the descriptor readable until the end of the next step: the owner has work of its own. */
void engine_wake (struct engine *e);

/* Seconds until engine_step must be called; 0: now; < 0: when the descriptor is readable. */
double engine_timeout (struct engine *e);

/* True if an exchange is pending, or finished and not reported, or a timer is set. */
bool engine_pending (const struct engine *e);

/*
** Works and waits at most `wait` seconds (0: does not wait; < 0: no limit while something is pending) until
** there is something to report; then calls the owners, with `context`, and returns how many it called. A
** signal ends the wait.
**
** `budget`: seconds of work, counted from the end of the wait; 0: no limit. The step checks it after each
** transfer that begins, each socket and each owner, serves at least one of each, and leaves the rest to the
** next step.
**
** Returns at once when nothing is pending. Without a system call when only timers are pending, none is due,
** and `wait` is 0.
*/
size_t engine_step (struct engine *e, double wait, double budget, void *context);

/* The end of the last step's budget, by clock_now; 0: it had none. */
double engine_stop (const struct engine *e);

/*
** Starts the request. `finished` reports every failure but one: False: out of memory; the exchange is as
** before and is not reported.
*/
bool engine_submit (struct engine *e, struct exchange *x);

/*
** Aborts the exchange and frees its bodies; the next step reports FAILURE_CANCELLED. Does nothing when it was
** reported already. Never waits.
*/
void engine_cancel (struct engine *e, struct exchange *x);

/*
** The next step reports `x`, which was not submitted or was reported before, with the response that it has.
*/
void engine_report (struct engine *e, struct exchange *x);

/*
** After a call of `arrived`: the owner has taken the bytes. Calls it again for bytes that have come since;
** else the transfer goes on, or its end is reported. The owner may then free the exchange.
*/
void engine_go_on (struct engine *e, struct exchange *x);

/*
** After a call of `wanted`: the next piece of the body. It must stay where it is until upload_next_place is
** its place again, or the exchange ends. `last`: there is no other, and this one may be empty. True if
** another one is wanted at once, without another call of `wanted`.
*/
bool engine_feed (struct engine *e, struct exchange *x, const char *piece, size_t length, bool last);

/* After engine_feed, perhaps several times: libcurl goes on, if it waits for a piece. */
void engine_send_on (struct engine *e, struct exchange *x);

/*
** For a session that ends: idle handles release this jar and all else that came with its exchanges
** (credentials, headers, URI, transport). Handles in use do so when they become idle, unless the jar is used
** again.
*/
void engine_forget_jar (struct engine *e, struct cookie_jar *jar);

/*
** Frees idle handles and, if nothing is pending, closes idle connections. For tests, and for hosts that need
** the memory. The descriptor stays the same.
*/
void engine_trim (struct engine *e);

/* Running exchanges continue, even above the new limits; waiting ones start if they now have room. */
void engine_set_limits (struct engine *e, const struct engine_limits *limits);

/* The engine's recorder, which the caller may set and empty; see record.h. */
struct recorder *engine_recorder (struct engine *e);

/* After it the next engine_set_timer succeeds. False: out of memory. */
bool engine_reserve_timer (struct engine *e);

bool engine_set_timer (struct engine *e, struct timer *timer, double when); /* false: out of memory */
void engine_clear_timer (struct engine *e, struct timer *timer);

#pragma GCC visibility pop

#endif
