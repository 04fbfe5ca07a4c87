/*
** Files are Lua's own (luaL_Stream), so that its collector closes what an error left open, and reading and writing
** them is the Lua layer's business. Each function gives nil and a message for what the system refuses.
*/
#include "store/file_store.h"

#include <lualib.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refused (lua_State *L, const char *path, const char *why) {
  luaL_pushfail(L);
  lua_pushfstring(L, "%s: %s", path, why);
  return 2;
}

static int failed (lua_State *L, const char *path) {
  return refused(L, path, strerror(errno));
}

static int done (lua_State *L) {
  lua_pushboolean(L, true);
  return 1;
}

/* May others than the owner have put something there? */
static bool is_ours (const struct stat *about, mode_t others) {
  return about->st_uid == geteuid() && !(about->st_mode & others);
}

/*
** makeDirectory(path [, parent]): made with mode 0700 unless it is there; one in which others may write is refused, unless
** it is but a parent of what is to be private.
*/
static int l_make_directory (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct stat about;
  if (mkdir(path, 0700) && errno != EEXIST) return failed(L, path);
  if (lua_toboolean(L, 2)) return done(L);
  if (stat(path, &about)) return failed(L, path);
  if (!S_ISDIR(about.st_mode)) return refused(L, path, "is not a directory");
  if (!is_ours(&about, S_IWGRP | S_IWOTH))
    return refused(L, path, "belongs to another user, or others may write there");
  return done(L);
}

static int close_stream (lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  return luaL_fileresult(L, !fclose(stream->f), NULL);
}

/* Pushes a file that is closed yet: what is opened for it cannot be lost. */
static luaL_Stream *push_stream (lua_State *L) {
  luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->f = NULL;
  stream->closef = NULL;
  if (luaL_getmetatable(L, LUA_FILEHANDLE) != LUA_TTABLE)
    luaL_error(L, "the file store needs Lua's io library");
  lua_setmetatable(L, -2);
  return stream;
}

/* False, and the descriptor is closed: no memory. */
static bool give (luaL_Stream *stream, int fd, const char *mode) {
  stream->f = fdopen(fd, mode);
  if (!stream->f) {
    close(fd);
    return false;
  }
  stream->closef = close_stream;
  return true;
}

/* Argument: a text that ends in a NUL, light userdata. */
static int push_text (lua_State *L) {
  lua_pushstring(L, lua_touserdata(L, 1));
  return 1;
}

/* The file that was made goes again. */
static void take_back (const char *path) {
  int code = errno;
  unlink(path);
  errno = code;
}

/* createPrivate(template): a new file, mode 0600, under a name of its own in place of the XXXXXX that the template ends in. */
static int l_create_private (lua_State *L) {
  size_t length;
  const char *template = luaL_checklstring(L, 1, &length);
  luaL_Stream *stream = push_stream(L);
  char *path = lua_newuserdatauv(L, length + 1, 0);
  int fd;
  memcpy(path, template, length + 1);
  fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0) return failed(L, template);
  lua_pushcfunction(L, push_text);
  lua_pushlightuserdata(L, path);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
    close(fd);
    take_back(path);
    return lua_error(L);
  }
  if (!give(stream, fd, "w")) {
    take_back(path);
    return failed(L, template);
  }
  lua_remove(L, -2); /* not before: pushing may collect */
  return 2;
}

/* Why what is open as `fd` is not to be believed, or NULL. */
static const char *distrust (int fd) {
  struct stat about;
  if (fstat(fd, &about)) return strerror(errno);
  if (!S_ISREG(about.st_mode)) return "is not a regular file";
  if (!is_ours(&about, S_IRWXG | S_IRWXO))
    return "belongs to another user, or others may use it: it is not read (chmod 600, if it is yours)";
  return NULL;
}

/* openPrivate(path): the file for reading; nil alone when there is none. Never follows a symbolic link, never waits for a pipe. */
static int l_open_private (lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *why;
  luaL_Stream *stream = push_stream(L);
  int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0 && errno == ENOENT) {
    lua_pushnil(L);
    return 1;
  }
  if (fd < 0)
    return errno == ELOOP ? refused(L, path, "is a symbolic link: it is not followed") : failed(L, path);
  why = distrust(fd);
  if (why) {
    close(fd);
    return refused(L, path, why);
  }
  return give(stream, fd, "r") ? 1 : failed(L, path);
}

static bool flush (int fd) {
  int code;
  do
    code = fsync(fd);
  while (code && errno == EINTR);
  return !code;
}

/* syncFile(file): all that was written is on the disk. */
static int l_sync_file (lua_State *L) {
  luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  luaL_argcheck(L, stream->closef, 1, "the file is closed");
  return luaL_fileresult(L, !fflush(stream->f) && flush(fileno(stream->f)), NULL);
}

/* syncDirectory(path): names in it are as last given. A file system that cannot do that is forgiven. */
static int l_sync_directory (lua_State *L) {
  int fd = open(luaL_checkstring(L, 1), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed(L, lua_tostring(L, 1));
  flush(fd);
  close(fd);
  return done(L);
}

void file_store_register (lua_State *L) {
  static const luaL_Reg functions[] = {
      {"makeDirectory", l_make_directory}, {"createPrivate", l_create_private},
      {"openPrivate", l_open_private},     {"syncFile", l_sync_file},
      {"syncDirectory", l_sync_directory}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
