/*
** response: a response as a read-only userdata: status, ok, headers, body, json(), uri, timing, timings. A
** field becomes a Lua value when it is read. It holds no pointers, so it needs no finaliser.
*/
#ifndef RUNTIME_RESPONSE_H
#define RUNTIME_RESPONSE_H

#include "net/exchange.h"
#include "runtime/userdata.h"

#pragma GCC visibility push(hidden)

#define RESPONSE_TYPE "datasession.response"

/* Pushes the response of a finished exchange, or nil if it has none. Raises. */
void response_push (lua_State *L, const struct exchange *x);

/* The same for an exchange that has a response, with the string on top, which stays there, as its body. */
void response_push_with (lua_State *L, const struct exchange *x);

void response_register (lua_State *L);

#pragma GCC visibility pop

#endif
