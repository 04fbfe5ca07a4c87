/* request_body: the body of a request of the user's, as its options give it. */
#ifndef SESSION_REQUEST_BODY_H
#define SESSION_REQUEST_BODY_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

struct request_body {
  enum { BODY_NONE, BODY_TEXT, BODY_JSON, BODY_FORM, BODY_FILE, BODY_PARTS, BODY_FUNCTION } kind;
  int index;     /* of its value on the stack: a text, a path, an array of parts or a function */
  double length; /* of what a function gives; -1: not known */
  bool rewinds;  /* the function can begin again */
};

/*
** Reads the options of the table at `index`, and leaves the body's value on the stack. `flows`: the options
** may have fields that only bodies that flow have. Raises for mistakes.
*/
void request_body_read (lua_State *L, int index, bool flows, struct request_body *body);

/* The Content-Type that the request has unless it says otherwise; NULL: none. */
const char *request_body_type (const struct request_body *body);

/*
** Gives the exchange its body. Raises nothing. NULL: done. Else what is wrong; an empty text: the error is on
** the stack.
*/
const char *request_body_set (lua_State *L, const struct request_body *body, struct exchange *x);

#pragma GCC visibility pop

#endif
