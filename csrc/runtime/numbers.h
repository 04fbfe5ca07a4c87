/* numbers: converts Lua's numbers to text by net/number.h. lua_tostring would follow the locale and round. */
#ifndef RUNTIME_NUMBERS_H
#define RUNTIME_NUMBERS_H

#include "net/number.h"
#include "runtime/compat.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* Writes the number at `index` and returns the text's length. NaN and infinity give "" and 0. */
size_t numbers_write (lua_State *L, int index, char to[NUMBER_SIZE]);

/* Replaces a number at `index` by its text and leaves other values. False: NaN or infinity, which stays. */
bool numbers_to_text (lua_State *L, int index);

/* Registers numberText(n) in the table on top: the text, or nil for NaN and infinity. */
void numbers_register (lua_State *L);

#pragma GCC visibility pop

#endif
