/* asked_model: the model that an application asks for when it refuses a login of another model. */
#ifndef PROTOCOL_JSDO_ASKED_MODEL_H
#define PROTOCOL_JSDO_ASKED_MODEL_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

struct asked_model {
  const char *what; /* static: a phrase for the message */
  const char *hint; /* static */
};

/*
** Read from the response: a login page (`page`), or its WWW-Authenticate. NULL: it asks for `model` itself,
** or does not say.
*/
const struct asked_model *asked_model_of (const struct exchange *x, enum model model, bool page);

/* True if the answer asks for HTTP Basic by its WWW-Authenticate. */
bool asked_model_is_basic (const struct exchange *x);

#pragma GCC visibility pop

#endif
