/*
** response: what came back, as a read-only userdata: status, ok, headers, body, json(), uri, timing. What nobody looks at is
** made no Lua value; it holds no pointers, so it needs no finaliser.
*/
#ifndef RUNTIME_RESPONSE_H
#define RUNTIME_RESPONSE_H

#include "net/exchange.h"
#include "runtime/userdata.h"

#pragma GCC visibility push(hidden)

#define RESPONSE_TYPE "datasession.response"

/* Pushes the response of a finished exchange, or nil when it has none. Raises. */
void response_push (lua_State *L, const struct exchange *x);

/* The same of an exchange that has a response, whose body is the string on top; that stays there. */
void response_push_with (lua_State *L, const struct exchange *x);

void response_register (lua_State *L);

#pragma GCC visibility pop

#endif
