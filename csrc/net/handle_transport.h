/*
** handle_transport: the part of a handle's set-up that says how to reach the server: proxy, TLS, user agent.
*/
#ifndef NET_HANDLE_TRANSPORT_H
#define NET_HANDLE_TRANSPORT_H

#include "net/handle.h"

#pragma GCC visibility push(hidden)

/*
** True if `h` first needs a new easy handle: libcurl's own CA certificates were removed from this one, and no
** option brings them back.
*/
bool handle_transport_needs_new (const struct handle *h, const struct transport *t, bool https);

/* Sets `h` up for requests by `t`, to https URIs or not. The caller notes `t` in the handle. */
CURLcode handle_transport_set (struct handle *h, const struct transport *t, bool https);

#pragma GCC visibility pop

#endif
