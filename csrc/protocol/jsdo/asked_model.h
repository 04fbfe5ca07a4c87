/* asked_model: which authentication model an application that refuses a login asks for, where that is not the session's own. */
#ifndef PROTOCOL_JSDO_ASKED_MODEL_H
#define PROTOCOL_JSDO_ASKED_MODEL_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

struct asked_model {
  const char *what; /* static: a phrase for the message */
  const char *hint; /* static */
};

/* By the login page that the answer is (`page`), or by its WWW-Authenticate. NULL: for nothing else than `model`, or it does not say. */
const struct asked_model *asked_model_of (const struct exchange *x, enum model model, bool page);

/* True if the answer asks for HTTP Basic by its WWW-Authenticate. */
bool asked_model_is_basic (const struct exchange *x);

#pragma GCC visibility pop

#endif
