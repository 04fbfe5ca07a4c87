/* numbers: Lua's numbers as text, by net/number.h: never by lua_tostring, which goes by the locale and shortens. */
#ifndef RUNTIME_NUMBERS_H
#define RUNTIME_NUMBERS_H

#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Replaces a number at `index` by its text, all else stays. False, and it stays too: NaN or infinity. */
bool numbers_to_text (lua_State *L, int index);

/* numberText(n) in the table on top: the text, or nil for NaN and infinity. */
void numbers_register (lua_State *L);

#pragma GCC visibility pop

#endif
