/*
** transport: how a session reaches its server: limits, TLS and proxy. Reference-counted, immutable after
** set-up, shared by all exchanges of a session and by sessions with equal options.
*/
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include "net/allocator.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/*
** The transports with a client key. Before it shares a connection or a TLS session, libcurl compares the
** certificates of two transfers, but neither keys nor passwords. So each pair of key and password in use has
** a number, which becomes part of the name by which libcurl knows the certificate's file. Outlives the
** transports.
*/
struct transport_keys {
  struct transport *first; /* borrowed */
  unsigned numbers;        /* numbers given so far */
};

struct transport {
  const struct allocator *memory; /* borrowed */
  size_t references;
  double connect_timeout; /* seconds; default 10 */
  double timeout;         /* seconds, the whole exchange, redirects included; default 30; 0: no limit */
  double stall_timeout;   /* seconds without a byte; default 0: no limit */
  size_t max_response;    /* bytes of body after decompression; default 64 MiB */
  int max_redirects;      /* default 5; < 0: a redirect is a plain response */
  bool insecure;          /* accept any certificate */
  enum { HTTP2_DEFAULT, HTTP2_YES, HTTP2_NO } http2; /* over https; default: as in the engine's limits */
  bool no_proxy;                                     /* never use a proxy, not even the environment's */
  bool environment_proxy;  /* a *_proxy variable was set at creation; if not, libcurl does not look */
  char *proxy;             /* owned; NULL: the environment's; may hold a password, wiped */
  char *ca_file, *ca_path; /* owned; NULL: the system's */
  char *crl_file;          /* owned; revoked certificates, PEM; NULL: not checked */
  char *pinned_key;   /* owned; the server's public key, as CURLOPT_PINNEDPUBLICKEY takes it; NULL: any */
  char *cert_file;    /* owned; the client's certificate, PEM */
  char *key_file;     /* owned; its key, PEM; NULL: in cert_file */
  char *key_password; /* owned, wiped */
  char *cert_alias;   /* owned; an alias of cert_file, made of the number; NULL: not needed */
  unsigned number;    /* of key_file and key_password; 0: there are none */
  bool ca_large;      /* ca_file is so large that to read it for each connection would stall the host */
  struct transport *next, **place; /* in the list of numbered ones; what points here, NULL: not in the list */
  char *user_agent;                /* owned; NULL: "datasession/<version> libcurl/<version>" */
};

struct transport *
transport_new (const struct allocator *memory); /* defaults, one reference; NULL: out of memory */

/*
** Sets one of the strings above: transport_set(t, &t->proxy, "http://..."). NULL clears it. False: out of
** memory.
*/
bool transport_set (struct transport *t, char **field, const char *value);

/*
** Gives a transport with a client key its number and alias; call it after all is set. False: out of memory.
*/
bool transport_number_key (struct transport *t, struct transport_keys *keys);

struct transport *transport_keep (struct transport *t);
void transport_release (struct transport *t); /* accepts NULL */

/* True if all options are equal. */
bool transport_same (const struct transport *a, const struct transport *b);

/*
** True if all options that libcurl gets are equal. The engine keeps the limits of time itself: they do not
** count.
*/
bool transport_same_connection (const struct transport *a, const struct transport *b);

#pragma GCC visibility pop

#endif
