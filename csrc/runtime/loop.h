/*
** loop: what one Lua state has one of: its engine, the queue of what is ready to be told to Lua, the
** coroutines that wait, and the functions of the Lua layer that C calls. A userdata in the registry, made by
** luaopen and finalised last; every other object of the state borrows it.
**
** User code (handlers, event listeners, waiting coroutines) runs from loop_step alone.
*/
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H

#include "net/cookie_jar.h"
#include "net/engine.h"
#include "runtime/ready_queue.h"
#include "runtime/userdata.h"

#pragma GCC visibility push(hidden)

#define LOOP_TYPE "datasession.engine"

struct operation;
struct session;
struct session_hooks;
struct loop;

/* Tables that hang from the registry beside the loop. */
enum loop_table {
  LOOP_IN_FLIGHT, /* promises of operations in flight: luaL_ref */
  LOOP_THREADS, /* weak keys: coroutine of spawn -> its promise; light userdata of a timed waiter -> the waiter */
  LOOP_GUARDED, /* weak values: light userdata of a guard -> its coroutine, until that is collected; waiting.c */
  LOOP_SESSIONS, /* weak values: light userdata of a session -> the session */
  LOOP_HELD,     /* session -> true: kept alive until it ends */
  LOOP_HOOKS,    /* functions of the Lua layer, by name; onError, the logger */
  LOOP_KEYS,     /* weak values: the key of a session, once somebody asked for it -> the session */
  LOOP_NAMES,    /* weak values: the name of a session that is stored -> the last session that claimed it */
  LOOP_PROTOCOLS, /* protocols in Lua: name -> their table of functions; methods of those in C by their address */
  LOOP_TRACES, /* weak keys: an error object that was raised -> the traceback of where */
  LOOP_TABLES  /* how many */
};

/* What the loop and promises call of the operations above them. */
struct operation_calls {
  void (*cancel)(struct operation *op); /* for promise:cancel; raises nothing */
  void (*drop_all)(struct loop *loop);  /* frees the exchanges of everything in flight: the state closes */
  /* How many are in flight; `verb`: what the first of them is, static. */
  size_t (*count)(const struct loop *loop, const char **verb);
  const char *(*verb)(const struct operation *op); /* static; for messages */
};

/* What the ready queue holds: the head of a userdata whose first user values, CHAIN_SLOTS, are for the queue. */
struct entry {
  lua_CFunction tell; /* its turn has come: the userdata is the one argument; an error is reported */
  bool queued;
  bool begun; /* `tell` has come to run */
};

struct loop {
  struct engine *engine;       /* owned; NULL until first needed and after the state has begun to close */
  struct allocator memory;     /* the state's own lua_Alloc */
  struct cookie_jars jars;     /* what all sessions' cookies have in common */
  struct engine_limits limits; /* the engine's, or those that it will be made with */
  struct transport
      *transport; /* owned reference: the defaults, shared by sessions that ask for nothing else */
  struct transport_keys keys;   /* of sessions */
  struct transport *options;    /* owned reference: that of the last session that asked for something else */
  struct header_list *lines;    /* owned reference: those of the last session that had its lines made */
  struct uri *service;          /* owned reference: that of the last session made */
  struct operation *operations; /* in flight, doubly linked; each kept by the table of LOOP_IN_FLIGHT */
  const struct operation_calls *above; /* static; what this floor calls of operations */
  const struct session_hooks *hooks;   /* static; what sessions call of the floors above them */
  lua_State *resumed; /* the coroutine that is resumed with what it awaited; not to be used but to compare */
  int tables[LOOP_TABLES]; /* references into the registry */
  size_t added, taken;     /* entries of the ready queue, since ever */
  char pong[256];          /* the body of the last answer to a ping that was whole JSON */
  size_t pong_length;
  lua_Integer sessions;      /* made so far: the next session's number */
  unsigned long long stamps; /* _ts parameters given out */
  unsigned long long noise;  /* state of the jitter's generator */
  unsigned long long calls;  /* of users on sessions, since ever: the rank of the last */
  struct session
      *active;         /* borrowed: on which the last call was made; those before it are linked by `older` */
  bool device_offline; /* the host says that this machine has no network */
  double until;        /* of clock_now: the budget of the step under way is used up; 0: it has none */
  double
      deadline; /* of clock_now: of the awaits and runs in whose steps this is, the first to be over; or HUGE_VAL */
  unsigned held_back; /* waiters that have their turn later: see loop_hold_back */
  unsigned let_go;    /* so many have it now */
  unsigned depth;     /* steps inside steps: handlers that await */
  unsigned busy;      /* an operation takes its step: a finaliser that this wakes cannot step the loop */
  bool interrupted;   /* a hook has raised an error, which leaves all steps; see loop_pcall */
  bool warned_seconds, warned_milliseconds; /* of options that look like the other unit: once a state */
  bool closed;
};

/* Leaves the state's loop, made with its tables when there is none yet, on the stack. `calls` is static. Raises. */
struct loop *loop_open (lua_State *L, const struct operation_calls *calls);

/* The state's loop. */
struct loop *loop_get (lua_State *L);

/* Pushes one of the tables. Raises nothing. */
void loop_table (lua_State *L, enum loop_table which);

/* The same, for who has the loop at hand: faster. */
void loop_table_of (lua_State *L, const struct loop *loop, enum loop_table which);

/* Is the engine that of a parent of this process, which was forked? Costs no system call. */
bool loop_is_inherited (const struct loop *loop);

/* Raises when it is: nothing that needs the engine works there. */
void loop_check (lua_State *L, const struct loop *loop);

/* The engine, made when first asked for. Raises as loop_check, when memory or descriptors are short, or the state closes. */
struct engine *loop_engine (lua_State *L, struct loop *loop);

/* The entry on top, popped, goes to the end of the ready queue, unless it is there already. Raises nothing. */
void loop_ready (lua_State *L, struct loop *loop);

/* Is anything ready, in flight or timed? */
bool loop_pending (struct loop *loop);

/* Seconds until loop_step should be called; 0: now; < 0: when the descriptor says so. */
double loop_timeout (struct loop *loop);

/*
** Waits at most `wait` seconds (< 0: as long as it takes), tells Lua what is ready until `budget` seconds (0: no limit)
** are used up. Raises when steps are too deep inside one another, or a finaliser interrupts the loop's own work.
*/
void loop_step (lua_State *L, struct loop *loop, double wait, double budget);

/* When a wait of `limit` seconds is over: it ends no later than the await or run in whose step it is. HUGE_VAL: never. */
double loop_deadline (const struct loop *loop, double limit);

/*
** One step of a loop of steps as have the steps inside it.
** What a hook raises, perhaps one that a signal has set on the main thread, is raised here. Raises.
*/
void loop_step_on (lua_State *L, struct loop *loop, double until);

/*
** True if the waiter on top, popped then, has its turn later: steps are so deep inside one another that its coroutine, which
** might wait in a further one, is not resumed. Raises nothing.
*/
bool loop_hold_back (lua_State *L, struct loop *loop);

/* Lets one that was held back have its turn in the next step. False: there is none, or no step can be deeper. Raises nothing. */
bool loop_let_go (lua_State *L, struct loop *loop);

/* Raises: steps are too deep inside one another. */
int loop_too_deep (lua_State *L);

/* Pushes what loop_pcall needs below the function. */
void loop_push_note (lua_State *L);

/*
** lua_pcall of C code inside a step. An error that a hook raised (a signal's, as Ctrl-C sets it) is kept
** besides, and raised again by each step that is under way. Pops what loop_push_note has pushed, too.
*/
int loop_pcall (lua_State *L, int nargs, int nresults);

/* For message handlers, the error being at 1: the same. True if it is such an error, or was that in a step further in. */
bool loop_note_interrupt (lua_State *L);

/*
** Calls the function below its `nargs` arguments. An error goes to onError, by default to warn, with its
** traceback. Nothing is left on the stack; false when there was an error. Raises nothing.
*/
bool loop_call (lua_State *L, int nargs);

/* The value on top (an error) goes to onError or warn. Pops it. Raises nothing. */
void loop_report (lua_State *L);

/* Pushes the text of the value at `index`, and says so when its __tostring raises. Raises when memory is short. */
const char *loop_push_text (lua_State *L, int index);

/* A random number from 1 - part to 1 + part. */
double loop_jitter (struct loop *loop, double part);

/*
** For constructors: has the Lua layer load the modules that it may need, once, so that none is looked for in the midst of work.
** Raises.
*/
void loop_prepare (lua_State *L);

/* Pushes a function of the Lua layer; raises when there is none of that name. */
void loop_hook (lua_State *L, const char *name);

/* Registers step, run, pollfd ... in the table on top, and the methods of the engine's object. */
void loop_register (lua_State *L, struct loop *loop);

#pragma GCC visibility pop

#endif
