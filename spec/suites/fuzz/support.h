/*
** support: what the fuzz targets share. A target is one C file: LLVMFuzzerTestOneInput, given bytes, calls
** what is to hold, and fuzz_check says what must be true whatever the bytes are. Nothing of libFuzzer is
** needed beyond that.
*/
#ifndef FUZZ_SUPPORT_H
#define FUZZ_SUPPORT_H

#include "net/allocator.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* malloc's memory. */
extern const struct allocator fuzz_memory;

/* Ends the process, which libFuzzer takes as a finding, unless it holds. */
void fuzz_check (bool holds, const char *what);

/* `size` bytes and one more, for free. */
void *fuzz_room (size_t size);

/* A copy of the bytes with a NUL behind them, for free. */
char *fuzz_text (const uint8_t *data, size_t size);

/*
** The Lua state of the process, with datasession loaded; made again after some thousand calls of fuzz_done.
*/
lua_State *fuzz_state (void);

/* One input is over: the stack is cleared, and garbage collected now and then. */
void fuzz_done (void);

/*
** Runs the Lua function that `chunk` returns, which gets the input as a string. An error that it raises is a
** finding. The chunk is compiled once for each state; `functions`, which may be NULL, are its globals.
*/
void fuzz_lua (const char *chunk, const luaL_Reg *functions, const uint8_t *data, size_t size);

#endif
