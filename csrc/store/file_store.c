/* Each function returns nil and a message for a failure of the system. */
#include "store/file_store.h"

#include "runtime/loop.h"
#include "store/disk.h"
#include "store/private_file.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

#define FILES_TYPE "datasession.files"

/* Bytes that most texts fit into. */
enum { USUAL_TEXT = 4096 };

/* The time limit of lua_close for the disk, and the default of flush; seconds. */
static const double CLOSE_LIMIT = 3;

/* Seconds between the looks for failures while files are being written, at first and at most. */
static const double SOONEST_LOOK = 0.005, LATEST_LOOK = 0.1;

/* Seconds between the calls of a debug hook (set by a signal, for instance) during flush. */
static const double SLICE = 0.05;

/*
** The data of one Lua state: upvalue of the functions. Made before all sessions, so that it is finalised
** after them.
*/
struct files {
  struct loop *loop;  /* borrowed */
  struct disk *disk;  /* owned; NULL until there is something to write */
  struct timer timer; /* set while files are being written */
  double interval;    /* seconds to the next look */
  bool closed;        /* the state is closing: files are written at once */
};

static struct files *get_files (lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int refused (lua_State *L, const char *path, const char *why) {
  luaL_pushfail(L);
  lua_pushfstring(L, "%s: %s", path, why);
  return 2;
}

static int answer (lua_State *L, const char *path, int code) {
  if (code) return refused(L, path, private_reason(code));
  lua_pushboolean(L, true);
  return 1;
}

/* Failures */

/* Pushes a message. False, and pushes nothing: no job has failed. */
static bool push_failure (lua_State *L, struct files *files) {
  char path[512], why[128];
  if (!files->disk || disk_is_inherited(files->disk)) return false;
  if (!disk_failure(files->disk, path, sizeof path, why, sizeof why)) return false;
  lua_pushfstring(L, "%s: %s", path, why);
  return true;
}

/* Argument: the files, light userdata. */
static int report_failures (lua_State *L) {
  struct files *files = lua_touserdata(L, 1);
  while (push_failure(L, files)) {
    lua_pushfstring(L, "datasession: a file store could not write or remove %s", lua_tostring(L, -1));
    loop_report(L);
    lua_settop(L, 1);
  }
  return 0;
}

static void look (struct timer *timer, void *context);

static void set_timer (struct files *files, double interval) {
  struct loop *loop = files->loop;
  if (!loop->engine || loop->closed || loop_is_inherited(loop)) return;
  files->interval = interval;
  files->timer.fired = look;
  engine_set_timer(loop->engine, &files->timer, clock_now() + interval); /* else flush reports them */
}

static void clear_timer (struct files *files) {
  if (files->loop->engine && !loop_is_inherited(files->loop))
    engine_clear_timer(files->loop->engine, &files->timer);
}

/* Called by the engine: raises nothing. */
static void look (struct timer *timer, void *context) {
  lua_State *L = context;
  struct files *files = (struct files *)((char *)timer - offsetof(struct files, timer));
  bool done;
  if (!files->disk || disk_is_inherited(files->disk)) return;
  done = disk_wait(files->disk, 0);
  lua_pushcfunction(L, report_failures);
  lua_pushlightuserdata(L, files);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
  if (!done) set_timer(files, files->interval < LATEST_LOOK / 2 ? files->interval * 2 : LATEST_LOOK);
}

/* Writing */

/*
** The disk, which the first call makes. A forked child makes its own: the parent writes the parent's files.
** NULL: not available.
*/
static struct disk *get_disk (struct files *files) {
  if (files->disk && disk_is_inherited(files->disk)) files->disk = NULL;
  if (!files->disk && !files->closed) files->disk = disk_new();
  return files->disk;
}

static int do_now (const char *path, const char *text, size_t size) {
  return text ? private_file_replace(path, text, size) : private_file_remove(path);
}

static int put (lua_State *L, const char *path, const char *text, size_t size) {
  struct files *files = get_files(L);
  struct disk *disk = get_disk(files);
  enum disk_answer taken = disk ? disk_put(disk, path, text, size) : DISK_NO_THREAD;
  if (taken == DISK_FULL)
    return refused(L, path, "too much waits for the disk, or there is not enough memory");
  if (taken == DISK_NO_THREAD) return answer(L, path, do_now(path, text, size));
  set_timer(files, SOONEST_LOOK);
  return answer(L, path, 0);
}

/* writeFile(path, text): writes the file. Its directory exists. */
static int l_write_file (lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 2, &size);
  return put(L, luaL_checkstring(L, 1), text, size);
}

/* removeFile(path) */
static int l_remove_file (lua_State *L) {
  return put(L, luaL_checkstring(L, 1), NULL, 0);
}

/*
** pendingFile(path): the text about to be written; false: about to be removed; nil: nothing is pending, read
** the file.
*/
static int l_pending_file (lua_State *L) {
  struct files *files = get_files(L);
  const char *path = luaL_checkstring(L, 1);
  enum disk_plan plan = DISK_NOTHING;
  size_t size = 0;
  if (files->disk && !disk_is_inherited(files->disk)) plan = disk_plan(files->disk, path, &size);
  if (plan == DISK_WRITE) {
    luaL_Buffer text;
    if (disk_copy(files->disk, path, luaL_buffinitsize(L, &text, size), size)) {
      luaL_pushresultsize(&text, size);
      return 1;
    }
  }
  if (plan == DISK_REMOVE)
    lua_pushboolean(L, false);
  else
    lua_pushnil(L);
  return 1;
}

static bool is_writing (const struct files *files) {
  return files->disk && !disk_is_inherited(files->disk) && !disk_wait(files->disk, 0);
}

/* writing(): true if a job is pending. */
static int l_writing (lua_State *L) {
  lua_pushboolean(L, is_writing(get_files(L)));
  return 1;
}

static int nothing (lua_State *L) {
  (void)L;
  return 0;
}

/* False: timed out. */
static bool wait_for_disk (lua_State *L, struct files *files, double limit) {
  double until = clock_now() + limit;
  while (is_writing(files)) {
    double left = until - clock_now();
    if (left <= 0) return false;
    disk_wait(files->disk, left < SLICE ? left : SLICE);
    lua_pushcfunction(L, nothing); /* calls debug hooks: one may raise and end the wait */
    lua_call(L, 0, 0);
  }
  return true;
}

/*
** flush([seconds]): saves the changed sessions, and waits until everything is on disk. Returns true; nil and
** a message: a write failed since the last report, or the time limit has passed.
*/
static int l_flush (lua_State *L) {
  struct files *files = get_files(L);
  double limit = luaL_optnumber(L, 1, CLOSE_LIMIT);
  luaL_argcheck(L, limit >= 0, 1, "expected a number of seconds, 0 or more");
  lua_settop(L, 0);
  store_save_all(L);
  if (!wait_for_disk(L, files, limit < 1e9 ? limit : 1e9)) {
    luaL_pushfail(L);
    lua_pushliteral(L, "flush: timed out before everything was on disk; writing continues");
    return 2;
  }
  luaL_pushfail(L);
  if (push_failure(L, files)) {
    lua_pushcfunction(L, report_failures); /* the other failures */
    lua_pushlightuserdata(L, files);
    lua_call(L, 1, 0);
    return 2;
  }
  lua_pushboolean(L, true);
  return 1;
}

static int files_gc (lua_State *L) {
  struct files *files = luaL_checkudata(L, 1, FILES_TYPE);
  struct disk *disk = files->disk;
  if (files->closed) return 0;
  files->closed = true;
  clear_timer(files);
  if (!disk || disk_is_inherited(disk)) return 0;
  if (disk_wait(disk, CLOSE_LIMIT)) {
    lua_pushcfunction(L, report_failures);
    lua_pushlightuserdata(L, files);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) loop_report(L);
  }
  files->disk = NULL;
  if (!disk_free(disk, 0)) {
    lua_pushliteral(L, "datasession: not everything of a file store is on disk yet; writing continues");
    loop_report(L);
  }
  return 0;
}

/* Reading */

/* makeDirectory(path): makes it with mode 0700 unless it exists. Rejects one that others may write to. */
static int l_make_directory (lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 1, &length);
  char *own = lua_newuserdatauv(L, length + 1, 0);
  memcpy(own, path, length + 1);
  return answer(L, path, private_directory_make(own));
}

/* readPrivate(path, most): the file's text of at most so many bytes; nil without a message: there is none. */
static int l_read_private (lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  size_t most = (size_t)luaL_checkinteger(L, 2), size = USUAL_TEXT, room;
  luaL_Buffer text;
  int code;
  do {
    room = size;
    code = private_file_read(path, luaL_buffinitsize(L, &text, room), room, &size);
  } while (!code && size > room && size <= most);
  if (code == ENOENT) {
    lua_pushnil(L);
    return 1;
  }
  if (code) return answer(L, path, code);
  if (size > most) return refused(L, path, "too large");
  luaL_pushresultsize(&text, size);
  return 1;
}

/* Pushes it. */
static void new_files (lua_State *L, struct loop *loop) {
  struct files *files = compat_newuserdata(L, sizeof *files, 0);
  memset(files, 0, sizeof *files);
  files->loop = loop;
  if (luaL_newmetatable(L, FILES_TYPE)) {
    lua_pushcfunction(L, files_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

void file_store_register (lua_State *L, struct loop *loop) {
  static const luaL_Reg functions[] = {{"makeDirectory", l_make_directory},
                                       {"readPrivate", l_read_private},
                                       {"writeFile", l_write_file},
                                       {"removeFile", l_remove_file},
                                       {"pendingFile", l_pending_file},
                                       {"writing", l_writing},
                                       {"flush", l_flush},
                                       {NULL, NULL}};
  new_files(L, loop);
  luaL_setfuncs(L, functions, 1);
}
