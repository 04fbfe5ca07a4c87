#include "sandbox/state.h"

#include "runtime/compat.h"
#include "sandbox/clock.h"

#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char program[] = "datasession.sandbox.site";

/* Registry keys of the program's two functions. */
static const char answer_key, control_key;

struct state {
  lua_State *L;           /* owned */
  pthread_mutex_t lock;   /* guards all fields below and all in L */
  pthread_cond_t counted; /* `count` changed */
  pthread_cond_t woken;   /* answers that wait may be complete now */
  bool stopping;          /* no answer waits any longer */
  double count;           /* requests since the log was cleared, from the program */
  char *result;           /* owned; the last control call's */
  size_t result_length;
};

/* Functions for the program */

static int host_time (lua_State *L) {
  lua_pushnumber(L, clock_seconds(CLOCK_REALTIME));
  return 1;
}

static int host_clock (lua_State *L) {
  lua_pushnumber(L, clock_seconds(CLOCK_MONOTONIC));
  return 1;
}

/* token(): 32 random hexadecimal digits. */
static int host_token (lua_State *L) {
  static const char digits[] = "0123456789ABCDEF";
  unsigned char bytes[16];
  char text[2 * sizeof bytes];
  if (getentropy(bytes, sizeof bytes) != 0) return luaL_error(L, "the system has no random bytes");
  for (size_t i = 0; i < sizeof bytes; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

/* wake(): the answers that wait are looked at again. The caller holds the lock. */
static int host_wake (lua_State *L) {
  struct state *s = lua_touserdata(L, lua_upvalueindex(1));
  (void)pthread_cond_broadcast(&s->woken);
  return 0;
}

static const luaL_Reg host_functions[] = {
    {"time", host_time}, {"clock", host_clock}, {"token", host_token}, {"wake", host_wake}, {NULL, NULL}};

/* Protected functions */

static void set_package (lua_State *L, const char *field, const char *value) {
  lua_getglobal(L, "package");
  lua_pushstring(L, value);
  lua_setfield(L, -2, field);
  lua_pop(L, 1);
}

struct booting {
  struct state *state;
  const struct state_options *options;
};

/* boot(struct booting): loads the program and keeps its two functions. */
static int boot (lua_State *L) {
  const struct booting *call = lua_touserdata(L, 1);
  const struct state_options *options = call->options;
  luaL_openlibs(L);
  set_package(L, "path", options->path);
  set_package(L, "cpath", options->cpath);
  lua_getglobal(L, "require");
  lua_pushstring(L, program);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "open");
  lua_pushlstring(L, options->setup, options->setup_length);
  luaL_newlibtable(L, host_functions);
  lua_pushlightuserdata(L, call->state);
  luaL_setfuncs(L, host_functions, 1);
  lua_call(L, 2, 2); /* answer, control */
  lua_rawsetp(L, LUA_REGISTRYINDEX, &control_key);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &answer_key);
  return 0;
}

static void set_text (lua_State *L, const char *field, const char *text) {
  if (text == NULL) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, field);
}

static void push_request (lua_State *L, const struct request *r) {
  lua_createtable(L, 0, 8);
  set_text(L, "method", r->method);
  set_text(L, "uri", r->uri);
  set_text(L, "user", r->user);
  set_text(L, "password", r->password);
  lua_pushlstring(L, r->body != NULL ? r->body : "", r->body_length);
  lua_setfield(L, -2, "body");
  lua_pushinteger(L, (lua_Integer)r->size);
  lua_setfield(L, -2, "size");
  if (r->too_big) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "tooBig");
  }
  lua_newtable(L); /* { name, value, name, value, ... } */
  lua_Integer at = 0;
  for (size_t i = 0; i < r->headers.count; i++) {
    lua_pushstring(L, r->headers.items[i].name);
    lua_rawseti(L, -2, ++at);
    lua_pushstring(L, r->headers.items[i].value);
    lua_rawseti(L, -2, ++at);
  }
  lua_setfield(L, -2, "headers");
}

/* Pushes a field of the table on top, or nil. */
static int field (lua_State *L, const char *name, int wanted) {
  int type = lua_getfield(L, -1, name);
  /* GCOVR_EXCL_START: the sandbox's Lua files give no such answer, and server:fault refuses it */
  if (type != wanted && type != LUA_TNIL)
    return luaL_error(L, "the answer's %s is a %s", name, lua_typename(L, type));
  /* GCOVR_EXCL_STOP */
  return type;
}

static double number_field (lua_State *L, const char *name) {
  (void)field(L, name, LUA_TNUMBER);
  double value = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return value;
}

static void take_headers (lua_State *L, struct answer *a) {
  if (field(L, "headers", LUA_TTABLE) == LUA_TTABLE) {
    lua_Integer n = luaL_len(L, -1);
    for (lua_Integer i = 1; i < n; i += 2) {
      lua_rawgeti(L, -1, i);
      lua_rawgeti(L, -2, i + 1);
      const char *name = lua_tostring(L, -2), *value = lua_tostring(L, -1);
      if (name == NULL || value == NULL || !fields_add(&a->headers, name, value))
        luaL_error(L, "header %d cannot be added", (int)i); /* GCOVR_EXCL_LINE: server:fault refuses it */
      lua_pop(L, 2);
    }
  }
  lua_pop(L, 1);
}

static void take_body (lua_State *L, struct answer *a) {
  size_t length = 0;
  (void)field(L, "body", LUA_TSTRING);
  const char *body = lua_tolstring(L, -1, &length);
  if (!answer_set_body(a, body, length)) luaL_error(L, "not enough memory");
  lua_pop(L, 1);
  double size = number_field(L, "size");
  if (size > (double)length && length > 0) a->size = (uint64_t)size;
}

static void take_ending (lua_State *L, struct answer *a) {
  static const char *const names[] = {"whole", "cut", "close", "reset", "raw", NULL};
  (void)field(L, "ending", LUA_TSTRING);
  a->ending = (enum ending)luaL_checkoption(L, -1, names[ENDING_WHOLE], names);
  lua_pop(L, 1);
  double after = number_field(L, "after");
  a->cut_after = after > 0 && after < (double)a->size ? (uint64_t)after : after > 0 ? a->size : 0;
}

static void take_answer (lua_State *L, struct answer *a) {
  double status = number_field(L, "status");
  a->status = status >= 100 && status <= 999 ? (unsigned)status : 500;
  a->delay = number_field(L, "delay");
  take_headers(L, a);
  take_body(L, a);
  take_ending(L, a);
}

struct answering {
  const struct request *request;
  struct answer *answer;
  double count;
  bool waits;     /* the answer is not complete: it stays in the registry, under this struct's address */
  double seconds; /* until it is looked at again, if nothing wakes it before */
};

static void set_waiting (lua_State *L, const struct answering *call) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, call);
}

/*
** Takes the answer on top. Its field `again`, a function, completes the answer and returns true; or it
** returns false and the seconds after which it is called again.
*/
static void take_or_wait (lua_State *L, struct answering *call) {
  call->waits = false;
  if (lua_getfield(L, -1, "again") == LUA_TFUNCTION) {
    lua_call(L, 0, 2);
    call->waits = !lua_toboolean(L, -2);
    call->seconds = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (call->waits)
    set_waiting(L, call);
  else
    take_answer(L, call->answer);
}

static int answer_protected (lua_State *L) {
  struct answering *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &answer_key);
  push_request(L, call->request);
  lua_call(L, 1, 2); /* answer, count */
  call->count = lua_tonumber(L, -1);
  lua_pop(L, 1);
  luaL_checktype(L, -1, LUA_TTABLE);
  take_or_wait(L, call);
  return 0;
}

static int answer_again (lua_State *L) {
  struct answering *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, call);
  lua_pushnil(L);
  set_waiting(L, call);
  take_or_wait(L, call);
  return 0;
}

/* The server stops: the connection closes without an answer. */
static int abandon (lua_State *L) {
  struct answering *call = lua_touserdata(L, 1);
  lua_pushnil(L);
  set_waiting(L, call);
  call->answer->ending = ENDING_CLOSE;
  return 0;
}

struct controlling {
  const char *call;
  size_t call_length;
  double count;
};

/* Returns the result, JSON. */
static int control_protected (lua_State *L) {
  struct controlling *call = lua_touserdata(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &control_key);
  lua_pushlstring(L, call->call, call->call_length);
  lua_call(L, 1, 2); /* result, count */
  call->count = lua_tonumber(L, -1);
  lua_pop(L, 1);
  return 1;
}

/* Calls from C */

/*
** Runs f(context) in protected mode and pushes its result or the error. Cannot raise: it allocates nothing
** outside the protected call.
*/
static bool run (lua_State *L, lua_CFunction f, void *context) {
  lua_settop(L, 0);
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, context);
  return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

static const char *message (lua_State *L) {
  return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a message";
}

static void set_count (struct state *s, double count) {
  s->count = count;
  (void)pthread_cond_broadcast(&s->counted);
}

static bool init_lock (struct state *s) {
  if (pthread_mutex_init(&s->lock, NULL) != 0) return false;
  bool counted = clock_init_condition(&s->counted);
  if (counted && clock_init_condition(&s->woken)) return true;
  /* GCOVR_EXCL_START: glibc's initialisers do not fail */
  if (counted) (void)pthread_cond_destroy(&s->counted);
  (void)pthread_mutex_destroy(&s->lock);
  return false;
  /* GCOVR_EXCL_STOP */
}

struct state *state_new (const struct state_options *options, char *error, size_t error_size) {
  struct state *s = calloc(1, sizeof *s);
  if (s == NULL || !init_lock(s)) {
    /* GCOVR_EXCL_START: glibc's initialisers do not fail */
    free(s);
    (void)snprintf(error, error_size, "not enough memory");
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  struct booting call = {s, options};
  s->L = luaL_newstate();
  if (s->L != NULL && run(s->L, boot, &call)) return s;
  (void)snprintf(error, error_size, "%s", s->L != NULL ? message(s->L) : "not enough memory");
  state_free(s);
  return NULL;
}

void state_free (struct state *s) {
  if (s == NULL) return;
  if (s->L != NULL) lua_close(s->L);
  (void)pthread_cond_destroy(&s->counted);
  (void)pthread_cond_destroy(&s->woken);
  (void)pthread_mutex_destroy(&s->lock);
  free(s->result);
  free(s);
}

/* The caller holds the lock. Failing, it makes the answer of the error. */
static bool run_answer (struct state *s, lua_CFunction f, struct answering *call) {
  bool ok = run(s->L, f, call);
  if (!ok) answer_set_text(call->answer, 500, message(s->L));
  lua_settop(s->L, 0);
  return ok;
}

/* Lets the other threads run until the answer is complete or the server stops. */
static void await_answer (struct state *s, struct answering *call) {
  while (call->waits && !s->stopping) {
    const struct timespec deadline = clock_deadline(call->seconds);
    (void)pthread_cond_timedwait(&s->woken, &s->lock, &deadline);
    if (!s->stopping && !run_answer(s, answer_again, call)) return;
  }
  if (call->waits) (void)run_answer(s, abandon, call);
}

void state_answer (struct state *s, const struct request *request, struct answer *answer) {
  struct answering call = {.request = request, .answer = answer};
  (void)pthread_mutex_lock(&s->lock);
  bool ok = run_answer(s, answer_protected, &call);
  if (call.count > 0) set_count(s, call.count);
  if (ok) await_answer(s, &call);
  (void)pthread_mutex_unlock(&s->lock);
}

void state_set_stopping (struct state *s, bool stopping) {
  (void)pthread_mutex_lock(&s->lock);
  s->stopping = stopping;
  (void)pthread_cond_broadcast(&s->woken);
  (void)pthread_mutex_unlock(&s->lock);
}

/* Stores a copy of the text on top as the result. */
static bool keep_result (struct state *s) {
  size_t length = 0;
  const char *text = lua_type(s->L, -1) == LUA_TSTRING ? lua_tolstring(s->L, -1, &length) : "";
  free(s->result);
  s->result = malloc(length + 1);
  s->result_length = s->result != NULL ? length : 0;
  if (s->result == NULL) return false;
  memcpy(s->result, text, length);
  s->result[length] = '\0';
  return true;
}

bool state_control (struct state *s, const char *call, size_t call_length, const char **result,
                    size_t *result_length) {
  struct controlling context = {call, call_length, -1};
  (void)pthread_mutex_lock(&s->lock);
  bool ok = run(s->L, control_protected, &context);
  if (context.count >= 0) set_count(s, context.count);
  bool kept = keep_result(s);
  lua_settop(s->L, 0);
  *result = kept ? s->result : "not enough memory";
  *result_length = kept ? s->result_length : strlen(*result);
  (void)pthread_mutex_unlock(&s->lock);
  return ok && kept;
}

bool state_await (struct state *s, double count, double timeout) {
  const struct timespec deadline = clock_deadline(timeout);
  (void)pthread_mutex_lock(&s->lock);
  while (s->count < count && pthread_cond_timedwait(&s->counted, &s->lock, &deadline) == 0)
    continue;
  bool reached = s->count >= count;
  (void)pthread_mutex_unlock(&s->lock);
  return reached;
}
