/*
** state: the private Lua state that runs the applications, and the lock that admits one thread at a time.
** Owns both. Any thread may call these functions; none raises.
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

/* NULL: `error` holds the reason. */
struct state *state_new (const struct state_options *options, char *error, size_t error_size);
void state_free (struct state *s); /* accepts NULL; no other thread may use the state */

/*
** Runs the application. Its error becomes an answer with status 500. An answer may wait for what other
** requests do: then other threads run meanwhile.
*/
void state_answer (struct state *s, const struct request *request, struct answer *answer);

/* True: ends the answers that wait, and those that come, with a closed connection. */
void state_set_stopping (struct state *s, bool stopping);

/*
** A control call from the host; `call` and the result are JSON. *result is the value, or, if it returns
** false, a message. The state owns it until the next call, so only one thread may call this.
*/
bool state_control (struct state *s, const char *call, size_t call_length, const char **result,
                    size_t *result_length);

/*
** Waits until `count` requests were answered since the log was cleared. False: `timeout` seconds passed
** first.
*/
bool state_await (struct state *s, double count, double timeout);

#pragma GCC visibility pop

#endif
