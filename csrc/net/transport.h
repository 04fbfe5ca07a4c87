/*
** transport: how a session reaches its server: limits, TLS and proxy. Counted, immutable after it was set up,
** shared by all exchanges of a session, and by sessions that agree in all of it.
*/
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "net/allocator.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*
** The transports that have a client's key. libcurl compares the certificates of two transfers that might share a connection, or a
** TLS session, but neither keys nor passwords. So each pair of these that is in use has a number, which goes into the name by
** which libcurl is told of the certificate's file. Outlives them.
*/
struct transport_keys {
  struct transport *first; /* borrowed */
  unsigned numbers;        /* given so far */
};

struct transport {
  const struct allocator *memory; /* borrowed */
  size_t references;
  double connect_timeout; /* seconds; default 10 */
  double timeout;         /* seconds, the whole exchange, redirects included; default 30; 0: no limit */
  double stall_timeout;   /* seconds without a byte; default 0: not watched */
  size_t max_response;    /* bytes of body after decompression; default 64 MiB */
  int max_redirects;      /* default 5; < 0: a redirect is a plain response */
  bool insecure;          /* accept any certificate */
  enum { HTTP2_DEFAULT, HTTP2_YES, HTTP2_NO } http2; /* over https; default: as the engine's limits say */
  bool no_proxy;                                     /* never use a proxy, whatever the environment says */
  bool environment_proxy;  /* some *_proxy variable was set at birth: if not, libcurl is kept from looking */
  char *proxy;             /* owned; NULL: what the environment says; may hold a password, wiped */
  char *ca_file, *ca_path; /* owned; NULL: the system's */
  char *crl_file;          /* owned; revoked certificates, PEM; NULL: none is looked for */
  char *pinned_key;   /* owned; the server's public key, as CURLOPT_PINNEDPUBLICKEY takes it; NULL: any */
  char *cert_file;    /* owned; the client's certificate, PEM */
  char *key_file;     /* owned; its key, PEM; NULL: in cert_file */
  char *key_password; /* owned, wiped */
  char *cert_alias;   /* owned; another name of cert_file, by the number; NULL: it needs none */
  unsigned number;    /* of key_file and key_password; 0: there are none */
  bool ca_large;      /* ca_file is so large that to read it for each connection would stall the host */
  struct transport *next, **place; /* among those that have a number; what points here; NULL: it has none */
  char *user_agent;                /* owned; NULL: "datasession/<version> libcurl/<version>" */
};

struct transport *
transport_new (const struct allocator *memory); /* defaults, one reference; NULL: no memory */

/* Sets one of the strings above: transport_set(t, &t->proxy, "http://..."). NULL clears. False: no memory. */
bool transport_set (struct transport *t, char **field, const char *value);

/* Gives one that has a client's key its number and the alias, once all is set. False: no memory. */
bool transport_number_key (struct transport *t, struct transport_keys *keys);

struct transport *transport_keep (struct transport *t);
void transport_release (struct transport *t); /* accepts NULL */

/* Do they agree in everything? */
bool transport_same (const struct transport *a, const struct transport *b);

/* Do they agree in all that libcurl is told of them? (Limits that the engine watches itself do not count.) */
bool transport_same_connection (const struct transport *a, const struct transport *b);

#pragma GCC visibility pop

#endif
