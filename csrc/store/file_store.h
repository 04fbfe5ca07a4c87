/*
** file_store: what the Lua layer's file store needs and Lua has not: files that are made for one owner alone, written
** through to the disk, and read only where nobody else can have written them.
*/
#ifndef STORE_FILE_STORE_H
#define STORE_FILE_STORE_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/* Registers makeDirectory, createPrivate, openPrivate, syncFile and syncDirectory in the table on top. */
void file_store_register (lua_State *L);

#pragma GCC visibility pop

#endif
