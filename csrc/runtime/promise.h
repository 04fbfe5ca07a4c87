/*
** promise: a full userdata that settles once. Its handlers run from loop_step, in the order in which they
** were added, never inside the call that created or settled it. Handlers, other promises and coroutines that
** wait for it are entries in its queue; settling moves them to the ready queue and allocates nothing.
*/
#ifndef RUNTIME_PROMISE_H
#define RUNTIME_PROMISE_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

#define PROMISE_TYPE "datasession.promise"

enum promise_state { PROMISE_PENDING, PROMISE_RESOLVED, PROMISE_REJECTED };

struct promise {
  struct entry entry; /* an operation's; see operation_defer */
  enum promise_state state;
  bool is_operation; /* it is the head of a struct operation */
  bool looked_at;    /* some code handles a rejection: no warning */
  bool adopting;     /* pending, and only the outcome of another promise settles it */
  int line;          /* of PROMISE_CALLER: where it made the call */
  void (*settled)(lua_State *L, struct promise *p); /* or NULL: called once it is settled; raises nothing */
};

/* User values. */
enum {
  PROMISE_VALUE = READY_QUEUE_SLOTS + 1, /* the value of the outcome */
  PROMISE_RESULT,
  PROMISE_INFO,
  PROMISE_ERROR,    /* of a rejected promise */
  PROMISE_HANDLERS, /* while pending: the queue of entries that wait for it */
  PROMISE_OWNER,    /* while pending: a session, the coroutine of spawn, or the promise that it follows */
  PROMISE_CALLER,   /* of an operation: the Lua function that called it, or nil */
  PROMISE_SLOTS = PROMISE_CALLER
};

/* Pushes a pending promise of `size` bytes (at least a struct promise), zero beyond. Raises. */
struct promise *promise_new (lua_State *L, size_t size);

/* NULL: not a promise. */
struct promise *promise_test (lua_State *L, int index);
struct promise *promise_check (lua_State *L, int index);

/*
** Settles the promise at `index` with the value, result and info (resolve) or the value, result, info and
** error (reject) on top, and pops them. Entries that wait for it become ready. False: it was settled before.
** Raises nothing.
*/
bool promise_resolve (lua_State *L, int index);
bool promise_reject (lua_State *L, int index);

/*
** Rejects with the error object on top, whose fields `session`, `result` and `info` become value, result and
** info. Raises nothing.
*/
bool promise_reject_error (lua_State *L, int index);

/*
** Pops the error on top, which a user's function raised, and rejects the promise at `index` with it; reports
** the error if the promise is settled. Raises nothing.
*/
void promise_reject_raised (lua_State *L, int index);

/*
** Pops the three values on top, which a user's function returned: the promise at `index` settles with them as
** value, result and info, or follows the first if that is a promise. Raises nothing.
*/
void promise_settle_returned (lua_State *L, int index);

/*
** Converts the error on top, which was raised in `co`: a table or a userdata stays, anything else becomes an
** error object with the traceback of `co` from `level` on. When memory runs out, that becomes the error.
** Raises nothing.
*/
void promise_wrap_raised (lua_State *L, lua_State *co, int level);

/*
** Pops `nargs` arguments and pushes the error object that `make` returns for them, or that of out of memory
** if `make` raises.
*/
void promise_make_error (lua_State *L, lua_CFunction make, int nargs);

/*
** Pops the entry on top, which becomes ready when the promise at `index` is settled, perhaps at once. Raises
** nothing.
*/
void promise_hang (lua_State *L, int index);

/*
** Pushes value, result and info of the settled promise at `index`, or nil and the error. Returns their
** number. Raises nothing.
*/
int promise_push_awaited (lua_State *L, int index);

/* Notes that some code handles a rejection of the promise at `index`: no warning. Raises nothing. */
void promise_mark_looked_at (lua_State *L, int index);

/* Registers the type, and `spawn` and `promise` in the table on top. */
void promise_register (lua_State *L);

#pragma GCC visibility pop

#endif
