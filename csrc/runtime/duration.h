/* duration: reads durations, as numbers or as texts such as "30s". Owns nothing. */
#ifndef RUNTIME_DURATION_H
#define RUNTIME_DURATION_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Parses "500ms", "30s", "5m" or "2h": digits with a point, then the unit. False: another text. */
bool duration_parse (const char *text, double *seconds);

/*
** An option of the table at `index`: a number of seconds, at least `least` (0, or just above it), or a text;
** nil gives `fallback`. Warns, once in a state, of a number above an hour: it is probably in milliseconds.
** Raises, naming the option.
*/
double duration_option (lua_State *L, int index, const char *name, double least, double fallback);

/*
** The value at `index`, which `what` names: a number of milliseconds, 0 or more, or a text. Warns, once in a
** state, of a number between 0 and a second: it is probably in seconds. Raises.
*/
double duration_interval (lua_State *L, int index, const char *what);

#pragma GCC visibility pop

#endif
