#include "runtime/error.h"

#include "runtime/fields.h"

#include <string.h>

static const char memory_error_key;

static void set_string (lua_State *L, const char *name, const char *value) {
  if (!value) return;
  lua_pushstring(L, value);
  lua_setfield(L, -2, name);
}

void error_push_result (lua_State *L, enum result result) {
  if (result == RESULT_NONE)
    lua_pushnil(L);
  else if (result == RESULT_FALSE || result == RESULT_TRUE)
    lua_pushboolean(L, result == RESULT_TRUE);
  else
    lua_pushinteger(L, result);
}

/* Makes one line of the message, which may hold the server's text. */
static void set_message (lua_State *L, const char *message) {
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (; *message; message++)
    luaL_addchar(&b, (unsigned char)*message < ' ' || *message == 0x7f ? ' ' : *message);
  luaL_pushresult(&b);
  lua_setfield(L, -2, "message");
}

void error_push (lua_State *L, const struct fault *fault) {
  lua_createtable(L, 0, 8);
  luaL_setmetatable(L, ERROR_TYPE);
  set_string(L, "kind", fault->kind);
  set_message(L, fault->message);
  set_string(L, "hint", fault->hint);
  error_push_result(L, fault->result);
  lua_setfield(L, -2, "result");
  if (fault->status > 0) {
    lua_pushinteger(L, fault->status);
    lua_setfield(L, -2, "httpStatus");
  }
  if (fault->uri) set_string(L, "uri", uri_public_text(fault->uri));
  lua_pushboolean(L, fault->retryable);
  lua_setfield(L, -2, "retryable");
}

void error_wrap (lua_State *L) {
  struct fault fault = {.kind = "protocol", .result = RESULT_GENERAL_FAILURE};
  if (lua_istable(L, -1)) return;
  fault.message = lua_tostring(L, -1);
  if (!fault.message) fault.message = "an error that is not a text";
  if (strstr(fault.message, "not enough memory")) fault.kind = "memory";
  error_push(L, &fault);
  lua_remove(L, -2);
}

const char *error_kind (enum failure failure) {
  switch (failure) {
  case FAILURE_NONE: break; /* GCOVR_EXCL_LINE: callers ask about failures alone */
  case FAILURE_TIMEOUT: return "timeout";
  case FAILURE_STALL: return "stall";
  case FAILURE_DNS: return "dns";
  case FAILURE_CONNECT: return "connect";
  case FAILURE_DEVICE: return "offline";
  case FAILURE_TLS: return "tls";
  case FAILURE_PROXY: return "proxy";
  case FAILURE_PROTOCOL:
  case FAILURE_TOO_BIG:
  case FAILURE_REDIRECT: return "protocol";
  case FAILURE_FILE: return "file";
  case FAILURE_CANCELLED: return "cancelled"; /* GCOVR_EXCL_LINE: the operation says so first */
  case FAILURE_MEMORY: return "memory";
  }
  return "http"; /* GCOVR_EXCL_LINE: the compiler wants each case */
}

bool error_retryable (enum failure failure) {
  switch (failure) {
  case FAILURE_TIMEOUT:
  case FAILURE_STALL:
  case FAILURE_DNS:
  case FAILURE_CONNECT:
  case FAILURE_DEVICE:
  case FAILURE_PROXY:
  case FAILURE_MEMORY: return true;
  case FAILURE_NONE:
  case FAILURE_TLS:
  case FAILURE_PROTOCOL:
  case FAILURE_TOO_BIG:
  case FAILURE_REDIRECT:
  case FAILURE_FILE:
  case FAILURE_CANCELLED: break;
  }
  return false;
}

/*
** Pushes "file:line: ", or "". A C message handler, such as that of the program lua, asks for the text of an
** error; the script's line then comes first, as no other output shows it.
*/
static void push_place (lua_State *L) {
  lua_Debug handler, raiser;
  int level;
  lua_pushliteral(L, "");
  if (!lua_getstack(L, 1, &handler) || !lua_getinfo(L, "S", &handler) || *handler.what != 'C') return;
  if (!lua_getstack(L, 2, &raiser) || !lua_getinfo(L, "Sn", &raiser) || *raiser.what != 'C' || !raiser.name)
    return;
  if (strcmp(raiser.name, "assert") != 0 && strcmp(raiser.name, "error") != 0) return;
  for (level = 3; lua_getstack(L, level, &raiser) && lua_rawlen(L, -1) == 0; level++) {
    lua_pop(L, 1);
    luaL_where(L, level);
  }
}

static int error_tostring (lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_pushliteral(L, "message");
  lua_rawget(L, 1);
  lua_pushliteral(L, "hint");
  lua_rawget(L, 1);
  push_place(L);
  if (lua_isstring(L, 3))
    lua_pushfstring(L, "%s%s (%s)", lua_tostring(L, 4), luaL_tolstring(L, 2, NULL), lua_tostring(L, 3));
  else
    lua_pushfstring(L, "%s%s", lua_tostring(L, 4), luaL_tolstring(L, 2, NULL));
  return 1;
}

/* Fields that exist only if they have a value; a program may set others of its own. */
static int error_index (lua_State *L) {
  static const char *const names[] = {"kind", "message",   "hint",      "result",   "httpStatus",
                                      "uri",  "retryable", "info",      "session",  "provider",
                                      "jsdo", "response",  "traceback", "attempts", NULL};
  size_t i;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  for (i = 0; names[i]; i++)
    if (!strcmp(name, names[i])) return 0;
  lua_newtable(L);
  fields_add(L, names);
  return fields_missing(L, "an error", NULL);
}

void error_push_memory (lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &memory_error_key);
}

/* failure{ kind, result, message, hint }: an error object for the Lua layer. */
static int l_failure (lua_State *L) {
  struct fault fault = {.kind = "error"};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "kind");
  lua_getfield(L, 1, "message");
  lua_getfield(L, 1, "hint");
  lua_getfield(L, 1, "result");
  fault.kind = luaL_checkstring(L, 2);
  fault.message = luaL_checkstring(L, 3);
  fault.hint = lua_tostring(L, 4);
  fault.result = (enum result)luaL_checkinteger(L, 5);
  error_push(L, &fault);
  return 1;
}

void error_register (lua_State *L) {
  static const struct fault memory = {
      .kind = "memory", .result = RESULT_GENERAL_FAILURE, .message = "not enough memory", .retryable = true};
  luaL_newmetatable(L, ERROR_TYPE);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, error_index);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  error_push(L, &memory);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &memory_error_key);
  lua_pushcfunction(L, l_failure);
  lua_setfield(L, -2, "failure");
}
