/*
** calm: calls that allocate much at once, without a long run of the collector. In incremental mode Lua
** collects a hundred units for each value's worth of memory: a call that allocates 100 KB pays for a whole
** cycle, in one step of the host. In generational mode nothing changes.
*/
#ifndef RUNTIME_CALM_H
#define RUNTIME_CALM_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Units of collection for each value's worth of memory. */
enum calm {
  CALM_SLICE = 4, /* in a slice that allocates much */
  CALM_STEP = 12  /* in a step of a host that gives it a budget */
};

/*
** Calls the function below its arguments, as lua_call does, while the collector is so slow. The function must
** not yield. The collector is as before when it returns or raises.
*/
void calm_call (lua_State *L, enum calm calm, int arguments, int results);

/* Pushes a string. A large one does not make the collector run. */
void calm_push (lua_State *L, const char *text, size_t length);

/*
** Adds to the table on top, for the Lua layer:
**
** calmly(f, ...): calls the function while the collector is slow. For slices of a long piece of work.
**
** uncollected(f, ...): calls the function while the collector is stopped. For what cannot be sliced.
**
** The functions must not yield. The collector is as before when they return or raise.
*/
void calm_register (lua_State *L);

#pragma GCC visibility pop

#endif
