/*
** recording: hands what the engine's recorder has noted to the Lua layer: text to its function `traced`,
** messages to its function `archived`. It does so in each step, before other functions of the program run.
*/
#ifndef RUNTIME_RECORDING_H
#define RUNTIME_RECORDING_H

#include "runtime/compat.h"

struct loop;

#pragma GCC visibility push(hidden)

/* Calls the functions with all that was noted. Their errors go to onError. Raises nothing. */
void recording_deliver (lua_State *L);

/* Sets the recorder of the loop's engine as loop->record says. */
void recording_begin (struct loop *loop);

/*
** Registers in the table on top: record(lineBodies, messageBodies), which sets the recorder (nil: without
** lines, without messages; else the most bytes of a body), and deliverRecords().
*/
void recording_register (lua_State *L);

#pragma GCC visibility pop

#endif
