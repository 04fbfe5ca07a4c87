/* duration: options that are times, as numbers or as texts such as "30s". Owns nothing. */
#ifndef RUNTIME_DURATION_H
#define RUNTIME_DURATION_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*
** Seconds of "500ms", "30s", "5m" or "2h", digits and a point before the unit. False: the text is none of
** these.
*/
bool duration_parse (const char *text, double *seconds);

/*
** Reads from the table at `index` a number of seconds, at least `least` (0, or just above it), or a text;
** `fallback` when it is nil. One number above an hour is warned of, once a state: it looks like milliseconds.
** Raises, naming the option.
*/
double duration_option (lua_State *L, int index, const char *name, double least, double fallback);

/*
** The value at `index`, which `what` names: a number of milliseconds, 0 or more, or a text. One number below
** a second, but 0, is warned of, once a state: it looks like seconds. Raises.
*/
double duration_interval (lua_State *L, int index, const char *what);

#pragma GCC visibility pop

#endif
