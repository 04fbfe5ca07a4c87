/* transport_options: the options of limits, TLS and proxy, which sessions and providers share. */
#ifndef RUNTIME_TRANSPORT_OPTIONS_H
#define RUNTIME_TRANSPORT_OPTIONS_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

/* The names of those options, for lists of what a call knows. */
#define TRANSPORT_OPTIONS                                                                                    \
  "connectTimeout", "timeout", "stallTimeout", "maxResponseSize", "maxRedirects", "insecure", "proxy",       \
      "http2", "caFile", "caPath", "crlFile", "pinnedPublicKey", "clientCertificate", "clientKey",           \
      "clientKeyPassword", "userAgent"

/* Reads the options of limits, TLS and proxy in the table at `index`; the loop's shared defaults when there are none. Adds a reference. */
struct transport *transport_from_options (lua_State *L, struct loop *loop, int index);

#pragma GCC visibility pop

#endif
