/*
** transport_options: reads the options for limits, TLS and proxy, which sessions and providers have in
** common.
*/
#ifndef RUNTIME_TRANSPORT_OPTIONS_H
#define RUNTIME_TRANSPORT_OPTIONS_H

#include "runtime/loop.h"

#pragma GCC visibility push(hidden)

/* The names of those options, for options_check. */
#define TRANSPORT_OPTIONS                                                                                    \
  "connectTimeout", "timeout", "stallTimeout", "maxResponseSize", "maxRedirects", "insecure", "proxy",       \
      "http2", "caFile", "caPath", "crlFile", "pinnedPublicKey", "clientCertificate", "clientKey",           \
      "clientKeyPassword", "userAgent"

/*
** A transport with the options of the table at `index`, or the loop's shared defaults if there are none. The
** caller owns one reference.
*/
struct transport *transport_from_options (lua_State *L, struct loop *loop, int index);

#pragma GCC visibility pop

#endif
