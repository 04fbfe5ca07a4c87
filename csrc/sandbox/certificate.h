/*
** certificate: makes a certificate authority and a server's certificate that it has signed, in memory. The
** authority's key is forgotten, so it never signs another.
*/
#ifndef SANDBOX_CERTIFICATE_H
#define SANDBOX_CERTIFICATE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

/* PEM. Each text is GnuTLS's memory, owned; its size counts no NUL. */
struct certificate {
  gnutls_datum_t authority;
  gnutls_datum_t server;
  gnutls_datum_t key; /* of the server */
};

/*
** Fills `c`, which is to be cleaned up in any case. `names`: host names and numeric addresses that the server
** has. NULL: success; else why there is no certificate, a static text.
*/
const char *certificate_init (struct certificate *c, const char *const *names, size_t count);

void certificate_cleanup (struct certificate *c);

#pragma GCC visibility pop

#endif
