/* file_kind: what is at a path, and behind standard error, which Lua's library cannot tell. */
#ifndef RUNTIME_FILE_KIND_H
#define RUNTIME_FILE_KIND_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Registers in the table on top: isDevice(path), which returns true if something is there that is neither a
** file nor a directory: a device, a pipe or a socket. It follows symbolic links. And isTerminal(), which
** returns true if standard error is a terminal.
*/
void file_kind_register (lua_State *L);

#pragma GCC visibility pop

#endif
