#include "runtime/local_files.h"

#ifdef _WIN32

#include "net/system.h"

#include <errno.h>
#include <windows.h>

static int fail (lua_State *L, const char *path, int code) {
  lua_pushnil(L);
  lua_pushfstring(L, "%s: %s", path, strerror(code));
  lua_pushinteger(L, code);
  return 3;
}

/* Argument 1: a path. */
static const char *check_path (lua_State *L, int arg, wchar_t into[SYSTEM_LONGEST_PATH]) {
  const char *path = luaL_checkstring(L, arg);
  if (!system_wide_path(path, into)) luaL_argerror(L, arg, "expected a path in UTF-8");
  return path;
}

/* In the code page. False: it has not all of the path's characters. */
static bool push_local (lua_State *L, const wchar_t *path) {
  char local[SYSTEM_LONGEST_PATH];
  bool unicode = GetACP() == CP_UTF8;
  BOOL lost = FALSE;
  int length = WideCharToMultiByte(CP_ACP, unicode ? 0 : WC_NO_BEST_FIT_CHARS, path, -1, local, sizeof local,
                                   NULL, unicode ? NULL : &lost);
  if (length <= 0 || lost) return false;
  lua_pushstring(L, local);
  return true;
}

/*
** localPath(path, mode): the path for io.open. Where the code page lacks its characters that is the file's
** short name; a file that is to be written is made for this. The path itself: there is no such name.
*/
static int l_local_path (lua_State *L) {
  wchar_t wide[SYSTEM_LONGEST_PATH], brief[SYSTEM_LONGEST_PATH];
  const char *path = check_path(L, 1, wide);
  DWORD length;
  if (push_local(L, wide)) return 1;
  if (*luaL_optstring(L, 2, "r") != 'r') {
    int fd = system_open(path, O_WRONLY | O_CREAT, S_IREAD | S_IWRITE);
    if (fd >= 0) close(fd);
  }
  length = GetShortPathNameW(wide, brief, SYSTEM_LONGEST_PATH);
  if (length && length < SYSTEM_LONGEST_PATH && push_local(L, brief)) return 1;
  lua_pushvalue(L, 1);
  return 1;
}

/* replaceFile(from, to): os.rename, but `to` may be there. */
static int l_replace_file (lua_State *L) {
  wchar_t from[SYSTEM_LONGEST_PATH], to[SYSTEM_LONGEST_PATH];
  const char *path = check_path(L, 1, from);
  check_path(L, 2, to);
  if (!MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING)) return fail(L, path, system_errno());
  lua_pushboolean(L, true);
  return 1;
}

/* deleteFile(path): os.remove. */
static int l_delete_file (lua_State *L) {
  wchar_t wide[SYSTEM_LONGEST_PATH];
  const char *path = check_path(L, 1, wide);
  if (!DeleteFileW(wide)) return fail(L, path, system_errno());
  lua_pushboolean(L, true);
  return 1;
}

/* dataDirectory(): the environment's LOCALAPPDATA, with slashes; nil: it is not set. */
static int l_data_directory (lua_State *L) {
  wchar_t wide[SYSTEM_LONGEST_PATH], *at;
  char path[3 * SYSTEM_LONGEST_PATH];
  DWORD length = GetEnvironmentVariableW(L"LOCALAPPDATA", wide, SYSTEM_LONGEST_PATH);
  if (!length || length >= SYSTEM_LONGEST_PATH) return 0;
  for (at = wide; *at; at++)
    if (*at == L'\\') *at = L'/';
  WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, sizeof path, NULL, NULL);
  lua_pushstring(L, path);
  return 1;
}

void local_files_register (lua_State *L) {
  static const luaL_Reg functions[] = {{"localPath", l_local_path},
                                       {"replaceFile", l_replace_file},
                                       {"deleteFile", l_delete_file},
                                       {"dataDirectory", l_data_directory},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}

#else

typedef int local_files_is_not_used; /* ISO C forbids an empty translation unit */

#endif
