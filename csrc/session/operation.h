/*
** operation: one call of the user's: a promise, the pending exchanges, and the next step. It lives in the
** userdata of its promise, which is kept until the operation ends. It ends exactly once, by operation_resolve
** or operation_reject. Only operations settle a session's promises.
*/
#ifndef SESSION_OPERATION_H
#define SESSION_OPERATION_H

#include "runtime/loop.h"
#include "runtime/promise.h"

#pragma GCC visibility push(hidden)

struct session;
struct identity;
struct retry;
struct flow;
struct operation;

/*
** The next step. `x`: the exchange that has finished, freed after the call; NULL: the operation was deferred.
*/
typedef void (*operation_step)(lua_State *L, struct operation *op, struct exchange *x);

/*
** The functions of an owner of operations: a session, or an object of a protocol that sends requests of its
** own.
*/
struct operation_owner {
  const char *field; /* the field of its errors that holds the owner: "session" */
  /* Called before `x` joins the exchanges of `op`: may change its header lines. Or NULL. */
  void (*describe)(lua_State *L, struct operation *op, struct exchange *x);
  /*
  ** Called before `x`, now an exchange of `op`, is sent. True if it is held until operation_resume. Or NULL.
  */
  bool (*before_send)(lua_State *L, struct operation *op, struct exchange *x);
  /*
  ** Called when `x` has finished. True if it is sent again, or held (operation_hold) until it is sent or
  ** reported again, and `step` is not called yet. Or NULL. Raises on memory.
  */
  bool (*on_answer)(lua_State *L, struct operation *op, struct exchange *x);
  /*
  ** Puts the current token into the lines of `x`, which was held. False: out of memory. NULL: the owner holds
  ** none.
  */
  bool (*sign)(const struct operation *op, struct exchange *x);
  /* Called when `op` has ended. Raises nothing. */
  void (*left)(lua_State *L, struct operation *op);
};

struct operation {
  struct promise promise;
  struct loop *loop;                   /* borrowed */
  const struct operation_owner *owner; /* static */
  struct session *session; /* borrowed; PROMISE_OWNER keeps it; NULL: the owner is not a session */
  void *object;            /* borrowed, kept likewise: another owner; NULL: the owner is a session */
  struct identity
      *apart;          /* owned reference: signs its exchanges instead of the session's identity; or NULL */
  struct retry *retry; /* owned; NULL: a failure ends the operation */
  /* The identity whose refresh the held exchanges wait for; only compared; NULL: none. */
  const struct identity *awaits;
  struct flow *flow; /* borrowed; kept in OPERATION_DETAILS; NULL: none */
  double limit;      /* seconds for each exchange; 0: the transport's own */
  const char *verb;  /* static: "login", for messages */
  operation_step step;
  bool (*begin)(lua_State *L, struct operation *op); /* describes and sends the first exchange; or NULL */
  struct timer timer;                                /* for operation_wait, and to deliver an abort */
  struct exchange *exchanges;                        /* owned: the pending ones, linked by `next` */
  struct kept_hop *hops;           /* owned: of those that have finished, unless one has finished just now */
  struct operation *newer, *older; /* borrowed: its neighbours among the session's pending operations */
  struct operation *earlier, *later; /* borrowed: its neighbours among the loop's pending operations */
  int anchor;                        /* its reference in LOOP_PENDING */
  unsigned logins; /* the session's when the operation was made: it is not repeated for another user */
  unsigned epoch;  /* the session's when the operation began: after a change it changes no state */
  unsigned stage;  /* for the protocol's use */
  double deadline; /* of clock_now: for the whole operation, waiting included; 0: none */
  unsigned tries;  /* how often it has begun */
  bool repeatable; /* what it sends may safely reach the server twice */
  bool waits_for_reconnect; /* it begins, perhaps once more, when its session has reconnected */
  bool expired;             /* it has found its session expired, and is repeated: not a second time */
  bool calls;               /* OPERATION_CALL holds the promise of a coroutine that it waits for */
  /*
  ** The coroutine that started it, if that belongs to another operation of the session; only compared; NULL:
  ** none. Such an operation runs during a reconnect, changes no state, and ends with the other.
  */
  const lua_State *inner;
  bool resolved;
  bool raised; /* PROMISE_ERROR is what an observer raised: it rejects, whatever the outcome */
  bool over;
  const char *abort_kind;    /* static; set if it was aborted or refused: "cancelled", "closed", "auth" */
  const char *abort_message; /* static */
  const char *abort_hint;    /* static; NULL: none */
  int abort_result;          /* an enum result */
};

/* User values of the promise while it is pending. */
enum {
  OPERATION_ARGUMENTS = PROMISE_VALUE, /* from which `begin` describes the request */
  OPERATION_CALL = PROMISE_RESULT,
  OPERATION_DETAILS = PROMISE_INFO /* for the verb's use */
};

/* Pushes the promise of a new operation on the session at `index`. Raises. */
struct operation *operation_new (lua_State *L, int index, const char *verb);

/* The same for another owner, the userdata at `index`. */
struct operation *operation_new_of (lua_State *L, int index, const char *verb, struct loop *loop,
                                    const struct operation_owner *owner);

/*
** Sends `x`, which the operation owns whatever the outcome, and calls `step` when it has finished. False: out
** of memory, or `x` is NULL. Raises only the error of loop_check.
*/
bool operation_send (lua_State *L, struct operation *op, struct exchange *x, operation_step step);

/*
** Before `x` is sent: its body flows. When bytes wait in it, the operation's step is called without an
** exchange. It takes them, and calls engine_go_on when it wants more. About `window` bytes wait at most.
*/
void operation_let_flow (struct exchange *x, size_t window);

/* Takes `x` without sending it: operation_resume does. */
void operation_hold (struct operation *op, struct exchange *x, operation_step step);

/* Puts `copy`, which has taken over the request of the held `x`, in its place. Frees `x`. */
void operation_replace (struct operation *op, struct exchange *x, struct exchange *copy);

/* Sends the held exchanges of `op`. One that cannot be sent fails. Raises nothing. */
void operation_resume (lua_State *L, struct operation *op);

/* The identity that signs its exchanges; NULL: none. */
struct identity *operation_signer (const struct operation *op);

/* Forgets an operation that could not start. Its promise never settles: do not return it to the user. */
void operation_discard (lua_State *L, struct operation *op);

/*
** Unless `ok`, raises "not enough memory". In a step the operation then rejects; one that has not started is
** discarded first.
*/
void operation_must (lua_State *L, struct operation *op, bool ok);

/*
** Calls `f` with `op`, light userdata, before the operation begins. If `f` raises, discards `op` and raises
** the error.
*/
void operation_prepare (lua_State *L, struct operation *op, lua_CFunction f);

/*
** Calls `verb`, of a protocol, to describe and send the first exchange; with `as`, the protocol's login
** instead. The verb may raise if its protocol says so. If it cannot start, discards the operation and raises
** the error.
*/
struct credentials;
void operation_start (lua_State *L, struct operation *op, bool (*verb)(lua_State *, struct operation *),
                      const struct credentials *as);

/* Calls `step` without an exchange at the next step of the loop. Raises as operation_push. */
void operation_defer (lua_State *L, struct operation *op, operation_step step);

/* Calls `step` without an exchange after so many seconds. Raises. */
void operation_wait (lua_State *L, struct operation *op, double seconds, operation_step step);

/*
** Calls the function below its `nargs` arguments on top, popped, in a coroutine of its own. Calls `step`
** without an exchange when that has ended. Raises.
*/
void operation_call (lua_State *L, struct operation *op, int nargs, operation_step step);

/* After operation_call: calls the step after so many seconds, if the coroutine has not ended before. */
void operation_bound (struct operation *op, double seconds);

/*
** For that step: pushes the three values that the function returned; or nil, the error object that it raised,
** nil. Raises nothing.
*/
void operation_push_returned (lua_State *L, const struct operation *op);

/*
** Rejects the operation at the next step of the loop. Nothing was sent. Strings are static; `result` is an
** enum result. Raises as operation_push.
*/
void operation_refuse (lua_State *L, struct operation *op, const char *kind, int result, const char *message);

/*
** Pushes the promise or the session. Raises if the operation has ended: a finaliser may end it during any
** allocation.
*/
void operation_push (lua_State *L, const struct operation *op);
void operation_push_owner (lua_State *L, const struct operation *op); /* the session, or other owner */
void operation_push_session (lua_State *L, const struct operation *op);

/* Resolves with the value, result and info on top, popped. */
void operation_resolve (lua_State *L, struct operation *op);

/* Rejects with the error object on top, popped. */
void operation_reject (lua_State *L, struct operation *op);

/*
** Cancels its transfers. It rejects with that kind at the next step. Does nothing once it has ended. Raises
** nothing.
*/
void operation_abort (struct operation *op, const char *kind, const char *message);

/* For loop_open. */
extern const struct operation_calls operation_calls;

#pragma GCC visibility pop

#endif
