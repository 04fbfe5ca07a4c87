/*
** file_store: what the Lua layer's file store needs and Lua has not: files for one owner alone. They are read
** at once and only where nobody else can have written them; they are written and removed by a thread (disk),
** so that no step waits for that. What is to be written is what is read from then on. What fails is reported
** at a later step.
*/
#ifndef STORE_FILE_STORE_H
#define STORE_FILE_STORE_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

/*
** Registers makeDirectory, openPrivate, writeFile, removeFile, pendingFile, writing and flush in the table on
** top.
*/
void file_store_register (lua_State *L, struct loop *loop);

#pragma GCC visibility pop

#endif
