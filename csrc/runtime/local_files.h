/*
** local_files: what the Lua layer needs on Windows to use files by paths in UTF-8 with Lua's own io library,
** which takes paths of the code page. Elsewhere it adds nothing.
*/
#ifndef RUNTIME_LOCAL_FILES_H
#define RUNTIME_LOCAL_FILES_H

#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

#ifdef _WIN32
/* Adds localPath, replaceFile, deleteFile and dataDirectory to the table on top. */
void local_files_register (lua_State *L);
#else
static inline void local_files_register (lua_State *L) {
  (void)L;
}
#endif

#pragma GCC visibility pop

#endif
