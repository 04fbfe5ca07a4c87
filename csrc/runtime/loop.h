/*
** loop: the single instances of a Lua state: its engine, the ready queue, the waiting coroutines, and the
** functions of the Lua layer that C calls. A userdata in the registry, created by luaopen and finalised last;
** every other object of the state borrows it.
**
** User code (handlers, event listeners, waiting coroutines) runs from loop_step only.
*/
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H

#include "net/cookie_jar.h"
#include "net/engine.h"
#include "net/record.h"
#include "runtime/ready_queue.h"
#include "runtime/userdata.h"

#pragma GCC visibility push(hidden)

#define LOOP_TYPE "datasession.engine"

struct operation;
struct session;
struct session_hooks;
struct retry_budget;
struct loop;

/* Tables in the registry beside the loop. */
enum loop_table {
  LOOP_PENDING,   /* promises of pending operations: luaL_ref */
  LOOP_THREADS,   /* weak keys: coroutine of spawn -> its promise; for loop_keep: light userdata -> it */
  LOOP_GUARDED,   /* weak values: light userdata of a guard -> its coroutine; see await.c */
  LOOP_SESSIONS,  /* weak values: light userdata of a session -> the session */
  LOOP_HELD,      /* session -> true: kept alive until it ends */
  LOOP_HOOKS,     /* functions of the Lua layer, by name; onError, await, the logger */
  LOOP_KEYS,      /* weak values: a session's key, once requested -> the session */
  LOOP_NAMES,     /* weak values: the name of a stored session -> the session that claimed it last */
  LOOP_PROTOCOLS, /* protocols in Lua: name -> table of functions; protocols in C: address -> methods */
  LOOP_TRACES,    /* weak keys: a raised error object -> its traceback */
  LOOP_TABLES     /* the number of tables */
};

/* Bits of loop->observers. */
enum {
  OBSERVER_OF_ALL = 1, /* onRequest or onResponse is set for all sessions */
  OBSERVER_OF_ONE = 2, /* a session had one of its own, once */
  OBSERVER_LOG = 4     /* the logger gets the level debug */
};

/* Functions of operations that the loop and promises call. */
struct operation_calls {
  void (*cancel)(struct operation *op); /* for promise:cancel; raises nothing */
  void (*drop_all)(
      struct loop *loop); /* frees the exchanges of all pending operations, when the state closes */
  /* The number of pending operations; `*verb`: the first one's, static. */
  size_t (*count)(const struct loop *loop, const char **verb);
  const char *(*verb)(const struct operation *op);                     /* static; for messages */
  void (*label)(const struct exchange *x, struct record_label *label); /* for the recorder; raises nothing */
};

/*
** An entry of the ready queue: the head of a userdata whose first READY_QUEUE_SLOTS user values belong to the
** queue.
*/
struct entry {
  lua_CFunction tell; /* called with the userdata as the one argument; an error is reported */
  bool queued;
  bool begun; /* `tell` has started */
};

struct loop {
  struct engine *engine;        /* owned; NULL before the first use and after the state began to close */
  struct allocator memory;      /* the state's own lua_Alloc */
  lua_State *main;              /* borrowed; the state's main thread, or NULL */
  lua_State *ending;            /* borrowed; the coroutine that is being ended, where Lua cannot close one */
  struct cookie_jars jars;      /* shared by all sessions' cookies */
  struct engine_limits limits;  /* the engine's, or those for its creation */
  struct record_options record; /* likewise for its recorder */
  struct transport *transport;  /* owned reference: the defaults */
  struct transport_keys keys;   /* of sessions */
  struct transport *options;    /* owned reference: the last session's with options of its own */
  struct header_list *lines;    /* owned reference: the header lines that were created last */
  struct uri *service;          /* owned reference: the last new session's */
  struct retry_budget *budgets; /* owned: of the origins with recent retries */
  struct operation *operations; /* pending, doubly linked; each kept by the table LOOP_PENDING */
  const struct operation_calls *above; /* static; the functions of operations */
  const struct session_hooks *hooks;   /* static; functions of the floors above that sessions call */
  lua_CFunction close_waiters;         /* static; called when the state closes; await_close */
  lua_State *resumed;                  /* the coroutine that await resumes; only compared, never used */
  int tables[LOOP_TABLES];             /* references into the registry */
  size_t added, taken;                 /* entries added to and taken from the ready queue, in all */
  lua_Integer sessions;                /* sessions created: the next session's number */
  unsigned long long stamps;           /* _ts parameters used */
  unsigned long long noise;            /* state of the jitter's generator */
  unsigned long long calls;            /* of users on sessions, in all: the rank of the last */
  struct session *active;              /* borrowed: the session of the last call; `older` links the others */
  bool device_offline;                 /* the host reports that this machine has no network */
  double until;       /* of clock_now: the end of the current step's budget; 0: it has none */
  double deadline;    /* of clock_now: the earliest of the awaits and runs around this step, or HUGE_VAL */
  unsigned held_back; /* waiters that are resumed later: see loop_hold_back */
  unsigned let_go;    /* how many of them are resumed now */
  unsigned depth;     /* steps inside steps: handlers that await */
  unsigned busy;      /* an operation runs: a finaliser inside it must not step the loop */
  unsigned observers; /* bits; 0: no function observes exchanges */
  unsigned log_level; /* of the logger: it gets no lower ones; session/log.c */
  unsigned observing; /* onRequest or onResponse runs: it must not step the loop */
  bool recording;     /* the engine's recorder is on, or will be */
  bool interrupted;   /* a hook raised an error, which ends all steps; see loop_pcall */
  bool warned_seconds, warned_milliseconds; /* warned of options in the wrong unit: once a state */
  bool closed;
};

/* Pushes the state's loop, creating it and its tables if needed. `calls` is static. Raises. */
struct loop *loop_open (lua_State *L, const struct operation_calls *calls);

/* The state's loop. */
struct loop *loop_get (lua_State *L);

/* Pushes one of the tables. Raises nothing. */
void loop_table (lua_State *L, enum loop_table which);

/* The same, faster, if the caller has the loop. */
void loop_table_of (lua_State *L, const struct loop *loop, enum loop_table which);

/* Keeps the userdata on top, popped, whose timer is set, until `loop_forget`. */
void loop_keep (lua_State *L);

/* Raises nothing. */
void loop_forget (lua_State *L, const void *userdata);

/* True if this process was forked since the engine was created. Costs no system call. */
bool loop_is_inherited (const struct loop *loop);

/* Raises if that is so: nothing that needs the engine works in the child. */
void loop_check (lua_State *L, const struct loop *loop);

/*
** The engine, created at the first call. Raises as loop_check does, when memory or descriptors run out, or
** when the state closes.
*/
struct engine *loop_engine (lua_State *L, struct loop *loop);

/* Pops the entry on top and appends it to the ready queue, unless it is there already. Raises nothing. */
void loop_ready (lua_State *L, struct loop *loop);

/* True if an entry is ready, an operation is pending or a timer is set. */
bool loop_pending (struct loop *loop);

/* Seconds until loop_step must be called; 0: now; < 0: when the descriptor is readable. */
double loop_timeout (struct loop *loop);

/*
** Waits at most `wait` seconds (< 0: no limit) and calls ready entries until `budget` seconds (0: no limit)
** are used up. Raises when steps are nested too deep, or a finaliser interrupts the loop's own work.
*/
void loop_step (lua_State *L, struct loop *loop, double wait, double budget);

/*
** The end of a wait of `limit` seconds, not after that of the await or run whose step this is. HUGE_VAL:
** never.
*/
double loop_deadline (const struct loop *loop, double limit);

/*
** One step of a wait loop that ends at `until`, also for the steps inside it. Short enough for debug hooks to
** run, also those that a signal sets on the main thread; raises their errors.
*/
void loop_step_on (lua_State *L, struct loop *loop, double until);

/*
** True if the waiter on top is resumed later; it is then popped. In deep steps its coroutine, which might
** wait in another step, is not resumed. Raises nothing.
*/
bool loop_hold_back (lua_State *L, struct loop *loop);

/*
** Makes one waiter that was held back ready for the next step. False: there is none, or no step can be
** deeper. Raises nothing.
*/
bool loop_let_go (lua_State *L, struct loop *loop);

/* Raises the error that steps are nested too deep. */
int loop_too_deep (lua_State *L);

/* Pushes what loop_pcall needs below the function. */
void loop_push_note (lua_State *L);

/*
** lua_pcall of C code inside a step. An error that a hook raised (from a signal such as Ctrl-C) is also
** stored, and each current step raises it again. Also pops what
** loop_push_note has pushed.
*/
int loop_pcall (lua_State *L, int nargs, int nresults);

/*
** For message handlers, with the error at 1: stores such an error. True if a hook raised it, here or in an
** inner step.
*/
bool loop_note_interrupt (lua_State *L);

/*
** Calls the function below its `nargs` arguments and leaves nothing on the stack. An error goes to onError,
** by default to warn, with its traceback. False: there was an error. Raises nothing.
*/
bool loop_call (lua_State *L, int nargs);

/* Reports the error on top to onError or warn. Pops it. Raises nothing. */
void loop_report (lua_State *L);

/*
** Pushes the text of the value at `index`; if its __tostring raises, the text says so. Raises when memory
** runs out.
*/
const char *loop_push_text (lua_State *L, int index);

/* A random number from 1 - part to 1 + part. */
double loop_jitter (struct loop *loop, double part);

/*
** For constructors: loads, once, the Lua modules that sessions may need, so that no operation loads one.
** Raises.
*/
void loop_prepare (lua_State *L);

/* Pushes a function of the Lua layer; raises if there is none of that name. */
void loop_hook (lua_State *L, const char *name);

/* Registers step, run, pollfd ... in the table on top, and the methods of the engine's object. */
void loop_register (lua_State *L, struct loop *loop);

#pragma GCC visibility pop

#endif
