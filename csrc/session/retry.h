/*
** retry: sends a call again when it fails for a passing reason: the server cannot be reached, or responds
** that it is overloaded. Between the attempts the operation waits by a timer of the loop. A call is sent
** again only if it may reach the server twice, or cannot have reached it.
*/
#ifndef SESSION_RETRY_H
#define SESSION_RETRY_H

#include "session/backoff.h"
#include "session/verdict.h"

#pragma GCC visibility push(hidden)

enum { RETRY_LOWEST = 400, RETRY_STATUSES = 200 };

/* The option retry. Owns nothing. */
struct retry_policy {
  struct backoff backoff;
  double total;   /* seconds for all attempts and the waits between them; 0: no limit */
  bool within;    /* instead of `total`: the call's timeout is for all attempts together */
  bool unlimited; /* the budget of the server's origin does not count */
  bool by_kind;   /* `kinds` decides about failures, else err.retryable */
  unsigned kinds; /* bits: the kinds of failures after which a call is sent again */
  unsigned char statuses[RETRY_STATUSES / 8]; /* bits: the same for HTTP statuses, from RETRY_LOWEST on */
};

/* The retry of one operation; op->retry. */
struct retry;

/*
** Reads the option retry of the table at 1. The caller owns the result. NULL: nothing is sent again. Raises.
*/
struct retry_policy *retry_read (lua_State *L, const struct allocator *memory);
void retry_free (const struct allocator *memory, struct retry_policy *policy); /* accepts NULL */

/* Pushes the option's values; nil for NULL. */
void retry_push (lua_State *L, const struct retry_policy *policy);

/*
** The policy of a request, whose options are at `index`: that of its own option retry, stored in `own`; else
** `usual`, which may be NULL. NULL: it is not sent again. Raises.
*/
const struct retry_policy *retry_of_request (lua_State *L, int index, const struct retry_policy *usual,
                                             struct retry_policy *own);

/*
** For an operation that has not begun: it is sent again by the policy, by its function `begin`. `limit`:
** seconds for each of its exchanges; 0: the transport's. False: out of memory.
*/
bool retry_attach (struct operation *op, const struct retry_policy *policy, double limit,
                   const struct transport *transport);

/* `op` has no other attempt. Accepts one without a retry. */
void retry_detach (struct operation *op);

/* Copies the credentials of a login, for its next attempt. False: out of memory. */
bool retry_keep_credentials (const struct operation *op, const struct credentials *as);
const struct credentials *retry_credentials (const struct operation *op);

/*
** The functions below are for operations that have a retry.
*/

/* Shortens the time limit of `x`, which is about to be sent, to what is left for all attempts. */
void retry_limit (const struct operation *op, struct exchange *x);

/*
** Called when an attempt has failed; `x` may be NULL. True if the call will be sent again: the caller then
** calls retry_wait, perhaps after it has ended what the attempt began. False: the reason is kept for the
** error, or `found` gets a hint. May be called again for other exchanges of the attempt.
*/
bool retry_decide (struct operation *op, const struct exchange *x, struct finding *found);

/* True if retry_decide has decided that. */
bool retry_is_due (const struct operation *op);

/* Reports the error on top, popped, and begins the next attempt after a wait. Raises. */
void retry_wait (lua_State *L, struct operation *op);

/* Does both. False: `op` is not sent again. */
bool retry_takes (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found);

/* The same for the pending login of a session, before its state changes; false for other operations. */
bool retry_takes_login (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found);

/* `op` has succeeded. */
void retry_succeeded (const struct operation *op);

/* Adds to the error on top why the call was not sent again. */
void retry_explain (lua_State *L, const struct operation *op);

/* Aborts the operations of the session that wait for their next attempt. Raises nothing. */
void retry_abandon (const struct session *s, const char *kind, const char *message);

#pragma GCC visibility pop

#endif
