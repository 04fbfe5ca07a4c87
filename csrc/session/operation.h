/*
** operation: what one call of the user started: a promise, the exchanges that it waits for, and its next
** step. Lives in its promise's userdata, which is kept while it is in flight; ends exactly once, by
** operation_resolve or operation_reject, and is the only thing that settles a session's promises.
*/
#ifndef SESSION_OPERATION_H
#define SESSION_OPERATION_H

#include "runtime/loop.h"
#include "runtime/promise.h"

#pragma GCC visibility push(hidden)

struct session;
struct identity;
struct operation;

/* The next step: an exchange of the operation has finished (`x`, freed after the call), or, deferred, there is none (NULL). */
typedef void (*operation_step)(lua_State *L, struct operation *op, struct exchange *x);

/* What one operation is of: a session, or an object of a protocol's that makes requests of its own. */
struct operation_owner {
  const char *field; /* of the error that it rejects with: "session" */
  /* Before `x` is one of the exchanges of `op`: may change its header lines; or NULL. */
  void (*describe)(lua_State *L, struct operation *op, struct exchange *x);
  /* Before `x`, one of the exchanges of `op` already, is sent: true if it is held until operation_resume; or NULL. */
  bool (*before_send)(lua_State *L, struct operation *op, struct exchange *x);
  /* `x` has finished: true if it is sent once more, and `step` is not called yet; or NULL. Raises on memory. */
  bool (*on_answer)(lua_State *L, struct operation *op, struct exchange *x);
  /* Puts the present token of its identity into the lines of `x`, which was held. False: out of memory. Or NULL: it holds none. */
  bool (*sign)(const struct operation *op, struct exchange *x);
  /* `op` is over. Raises nothing. */
  void (*left)(lua_State *L, struct operation *op);
};

struct operation {
  struct promise promise;
  struct loop *loop;                   /* borrowed */
  const struct operation_owner *owner; /* static */
  struct session *session; /* borrowed; kept by the promise's PROMISE_OWNER; NULL: another owner's */
  void *object;            /* borrowed, the same: that owner; NULL: a session's */
  struct identity
      *apart; /* owned reference: what its exchanges are signed with instead of the session's; or NULL */
  const struct identity
      *awaits;      /* whose refresh the exchanges that are held wait for; only compared; NULL: none are */
  double limit;     /* seconds for each exchange; 0: the transport's own */
  const char *verb; /* static: "login", for messages */
  operation_step step;
  bool (*begin)(lua_State *L, struct operation *op); /* describes and sends what comes first; repair.c */
  struct timer timer;              /* of operation_wait, or what an abort is told by; see there */
  struct exchange *exchanges;      /* owned, those in flight; linked by `next` */
  struct operation *newer, *older; /* borrowed; of the session, that are in flight */
  struct operation *earlier, *later;
  int anchor;      /* its reference in LOOP_IN_FLIGHT */
  unsigned logins; /* the session's when it was made: it is not begun again for another user */
  unsigned epoch;  /* the session's when it started: an older one changes no state */
  unsigned stage;  /* for the protocol's use */
  double deadline; /* of clock_now: for all of it, waiting included; 0: none */
  unsigned tries;  /* how often it was begun */
  bool repeatable; /* what it sends may reach the server twice */
  bool parked;     /* its session is being re-established: it begins, perhaps anew, when that is done */
  bool calls;      /* OPERATION_CALL holds the promise of a coroutine that it waits for */
  const lua_State *
      inner; /* part of another operation of the session, whose coroutine this is, only compared: goes on while that is
                re-established, changes no state, and ends with it; NULL: it is none */
  bool resolved;
  bool over;
  const char *abort_kind;    /* static; why it was aborted or refused: "cancelled", "closed", "auth" */
  const char *abort_message; /* static */
  const char *abort_hint;    /* static; NULL: none */
  int abort_result;          /* an enum result */
};

/* User values of its promise while it is pending. */
enum {
  OPERATION_ARGUMENTS = PROMISE_VALUE, /* what `begin` describes its request by */
  OPERATION_CALL = PROMISE_RESULT,
  OPERATION_DETAILS = PROMISE_INFO /* the verb's own */
};

/* Pushes the promise of a new operation on the session at `index`. Raises. */
struct operation *operation_new (lua_State *L, int index, const char *verb);

/* The same on another owner, the userdata at `index`. */
struct operation *operation_new_of (lua_State *L, int index, const char *verb, struct loop *loop,
                                    const struct operation_owner *owner);

/*
** Sends `x`, which becomes the operation's whatever the outcome; `step` is called when it has finished. False when memory
** is short, also for an `x` of NULL. Raises nothing but loop_check's error.
*/
bool operation_send (lua_State *L, struct operation *op, struct exchange *x, operation_step step);

/* `x` becomes one of the operation's, to be sent later by operation_resume. */
void operation_hold (struct operation *op, struct exchange *x, operation_step step);

/* Sends the exchanges of `op` that are held; one that cannot be sent fails with it. Raises nothing. */
void operation_resume (lua_State *L, struct operation *op);

/* By whom its exchanges are signed; NULL: nobody. */
struct identity *operation_signer (const struct operation *op);

/* Forgets an operation that could not start; its promise never settles and is not to be handed out. */
void operation_discard (lua_State *L, struct operation *op);

/*
** Unless `ok`, raises "not enough memory". In a step it then rejects; one that has not been handed out yet is discarded
** before.
*/
void operation_must (lua_State *L, struct operation *op, bool ok);

/*
** Calls `f` with `op`, light userdata: what comes before an operation has begun. When it raises, `op` is discarded, and the
** error raised.
*/
void operation_prepare (lua_State *L, struct operation *op, lua_CFunction f);

/*
** Has `verb`, a protocol's, describe and send what comes first; it may raise if its protocol says so. With `as`, the protocol's login
** instead. An operation that could not start is discarded, and the error raised.
*/
struct credentials;
void operation_start (lua_State *L, struct operation *op, bool (*verb)(lua_State *, struct operation *),
                      const struct credentials *as);

/* Has `step` called at the next step of the loop, with no exchange: for what needs no network. Raises as operation_push. */
void operation_defer (lua_State *L, struct operation *op, operation_step step);

/* The same after so many seconds. Raises. */
void operation_wait (lua_State *L, struct operation *op, double seconds, operation_step step);

/*
** Calls the function below its `nargs` arguments on top, popped, in a coroutine of its own; `step` is called, with no
** exchange, when it has ended. Raises.
*/
void operation_call (lua_State *L, struct operation *op, int nargs, operation_step step);

/* For that step: pushes the three values that the function returned; or nil, the error object that it raised, nil. Raises nothing. */
void operation_push_returned (lua_State *L, const struct operation *op);

/* Has it reject at the next step of the loop: nothing was sent. Strings are static; `result` is an enum result. Raises as operation_push. */
void operation_refuse (lua_State *L, struct operation *op, const char *kind, int result, const char *message);

/* Pushes the promise, the session. Raises when it is over: a finaliser may have ended it from inside any allocation. */
void operation_push (lua_State *L, const struct operation *op);
void operation_push_owner (lua_State *L, const struct operation *op); /* the session, or other owner */
void operation_push_session (lua_State *L, const struct operation *op);

/* Ends it with the value, result and info on top, popped. */
void operation_resolve (lua_State *L, struct operation *op);

/* Ends it with the error object on top, popped. */
void operation_reject (lua_State *L, struct operation *op);

/* Its transfers end; it rejects with that kind at the next step. No harm when it is over. Raises nothing. */
void operation_abort (struct operation *op, const char *kind, const char *message);

/* For loop_open. */
extern const struct operation_calls operation_calls;

#pragma GCC visibility pop

#endif
