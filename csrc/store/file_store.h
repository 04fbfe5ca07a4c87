/*
** file_store: private files, for the Lua layer's file store. They are read at once, and only where no other
** user can have written them. A thread (disk) writes and removes them, so that no step waits. A pending text
** is read before the file's. A later step reports failures.
*/
#ifndef STORE_FILE_STORE_H
#define STORE_FILE_STORE_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

/*
** Adds makeDirectory, readPrivate, writeFile, removeFile, pendingFile, writing and flush to the table on top.
*/
void file_store_register (lua_State *L, struct loop *loop);

#pragma GCC visibility pop

#endif
