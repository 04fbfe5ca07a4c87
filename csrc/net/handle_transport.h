/*
** handle_transport: the part of a handle's set-up that says how the server is reached: proxy, TLS, the limit to
** connecting, the agent.
*/
#ifndef NET_HANDLE_TRANSPORT_H
#define NET_HANDLE_TRANSPORT_H

#include "net/handle.h"

#pragma GCC visibility push(hidden)

/* For a request by `t`, to an https URI or not. May make the easy handle anew. */
CURLcode handle_set_transport (struct handle *h, struct transport *t, bool https);

#pragma GCC visibility pop

#endif
