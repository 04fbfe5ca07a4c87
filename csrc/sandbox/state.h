/*
** state: the private Lua state in which the applications run, and the lock that lets one thread in at
** a time. Owns both. Every function may be called from any thread, and none lets a Lua error out.
*/
#ifndef SANDBOX_STATE_H
#define SANDBOX_STATE_H

#include "sandbox/message.h"

#pragma GCC visibility push(hidden)

struct state;

struct state_options {
  const char *path; /* package.path and package.cpath of the host */
  const char *cpath;
  const char *setup; /* JSON, for datasession.sandbox.site */
  size_t setup_length;
};

/* NULL: what went wrong is in `error`. */
struct state *state_new (const struct state_options *options, char *error, size_t error_size);
void state_free (struct state *s); /* accepts NULL; nobody else may be inside */

/* Runs the application. An error of it becomes an answer with status 500. */
void state_answer (struct state *s, const struct request *request, struct answer *answer);

/*
** A call from the host, `call` and the result in JSON. `*result` is the value, or when it returns
** false, a message. It belongs to the state and stays until the next call, so this is for one thread
** alone.
*/
bool state_control (struct state *s, const char *call, size_t call_length, const char **result,
                    size_t *result_length);

/*
** Waits until `count` requests were answered since the log was cleared; false: `timeout` seconds
** passed first.
*/
bool state_await (struct state *s, double count, double timeout);

#pragma GCC visibility pop

#endif
