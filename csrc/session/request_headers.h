/* request_headers: the header lines that a program gives a request, in an option of it or of its session. */
#ifndef SESSION_REQUEST_HEADERS_H
#define SESSION_REQUEST_HEADERS_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

/*
** Adds the lines of the option `headers`, whose value is at `index`, to the list; nil adds none. `call`
** begins the messages: "request: ", or "". Raises for mistakes.
*/
void request_headers_add (lua_State *L, int index, struct header_list *lines, const char *call);

/*
** Gives the exchange a header list of its own with more lines: those of the table at `defaults`, or nil; a
** Content-Type, unless `type` is NULL; those of the option at `given`. False: an error is on the stack.
*/
bool request_headers_set (lua_State *L, struct exchange *x, int defaults, const char *type, int given);

#pragma GCC visibility pop

#endif
