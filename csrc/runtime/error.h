/*
** error: the object that a rejected promise carries: a table with `kind`, `result`, `message`, `hint`,
** `httpStatus`, `uri`, `retryable`, `session`, `info`, and a one-line tostring. Nothing in it is secret.
*/
#ifndef RUNTIME_ERROR_H
#define RUNTIME_ERROR_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

#define ERROR_TYPE "datasession.error"

/* The result codes that promises and errors carry; values of the JavaScript reference. */
enum result {
  RESULT_NONE = -1, /* nil */
  RESULT_AUTHENTICATION_REQUIRED = 0,
  RESULT_SUCCESS = 1,
  RESULT_AUTHENTICATION_FAILURE = 2,
  RESULT_GENERAL_FAILURE = 3,
  RESULT_CATALOG_ALREADY_LOADED = 4,
  RESULT_ASYNC_PENDING = 5,
  RESULT_EXPIRED_TOKEN = 6,
  RESULT_FALSE = 100, /* the booleans: a ping's */
  RESULT_TRUE
};

/* A failure, in C. Strings are borrowed for the call of error_push. */
struct fault {
  const char *kind;
  enum result result;
  const char *message;
  const char *hint;      /* NULL: none */
  long status;           /* 0: there was no response */
  const struct uri *uri; /* NULL: none; its public text is shown */
  bool retryable;        /* the same call may succeed later without a change */
};

/* Pushes the error object. Raises when memory runs out. */
void error_push (lua_State *L, const struct fault *fault);

/* Replaces the raised value on top by an error object, unless it is one. Raises when memory runs out. */
void error_wrap (lua_State *L);

/* The kind of a failed exchange: "timeout", "dns", ... Static. */
const char *error_kind (enum failure failure);
bool error_retryable (enum failure failure);

/* Pushes a result code as Lua sees it. */
void error_push_result (lua_State *L, enum result result);

/* Pushes the error object for out of memory, which was created before. Raises nothing. */
void error_push_memory (lua_State *L);

/* Registers the type, and `failure` in the table on top. */
void error_register (lua_State *L);

#pragma GCC visibility pop

#endif
