/*
** promise: a full userdata that settles once. Its handlers run from loop_step, in the order in which they
** were added, never inside the call that made or settled it. What waits for it (handlers, other promises, coroutines)
** are entries that hang from it until it is settled, and then stand in the ready queue: settling allocates nothing.
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
  bool looked_at;    /* somebody sees a rejection: no warning */
  bool adopting;     /* pending, and to be settled as another promise is, by nothing else */
};

/* User values. */
enum {
  PROMISE_VALUE = CHAIN_SLOTS + 1, /* what the call is about */
  PROMISE_RESULT,
  PROMISE_INFO,
  PROMISE_ERROR,    /* of a rejected one */
  PROMISE_HANDLERS, /* while pending: the chain of what waits for it */
  PROMISE_OWNER, /* while pending: an operation's session; the coroutine of spawn; the promise that this one hangs from */
  PROMISE_SLOTS = PROMISE_OWNER
};

/* Pushes a pending promise of `size` bytes (at least a struct promise), zero beyond. Raises. */
struct promise *promise_new (lua_State *L, size_t size);

/* NULL when it is no promise. */
struct promise *promise_test (lua_State *L, int index);
struct promise *promise_check (lua_State *L, int index);

/*
** Settles the promise at `index` with the value, result and info (resolve) or the value, result, info and
** error (reject) on top, which are popped; what waits for it is ready. False, and popped all the same, when it was
** settled before. Raises nothing.
*/
bool promise_resolve (lua_State *L, int index);
bool promise_reject (lua_State *L, int index);

/*
** Rejects with the error object on top, whose fields `session`, `result` and `info` become value, result and info.
** Raises nothing.
*/
bool promise_reject_error (lua_State *L, int index);

/*
** What a function of the user's raised is on top, popped: rejects the promise at `index`, or reports the error when that
** is settled. Raises nothing.
*/
void promise_reject_raised (lua_State *L, int index);

/*
** Three values on top, popped, are what a function of the user's returned: they settle the promise at `index`, as value,
** result and info; or the first is a promise, and it will be settled as that one is. Raises nothing.
*/
void promise_settle_returned (lua_State *L, int index);

/*
** What was raised in `co` is on top: a table or a userdata stays, anything else becomes an error object with the traceback of
** `co` from `level` on. Raises nothing: when memory is short, that is the error.
*/
void promise_wrap_raised (lua_State *L, lua_State *co, int level);

/* Pushes the error object that `make` returns for its `nargs` arguments on top, popped; that of no memory if it raises. */
void promise_make_error (lua_State *L, lua_CFunction make, int nargs);

/* The entry on top, popped, is ready once the promise at `index` is settled: perhaps now. Raises nothing. */
void promise_hang (lua_State *L, int index);

/* Pushes value, result and info of the settled promise at `index`, or nil and the error; how many. Raises nothing. */
int promise_push_awaited (lua_State *L, int index);

/* Registers the type, and `spawn` and `promise` in the table on top. */
void promise_register (lua_State *L);

#pragma GCC visibility pop

#endif
