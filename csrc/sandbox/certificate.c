#include "sandbox/certificate.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

enum { DAY = 24 * 60 * 60, LIFETIME = 365 * DAY, SERIAL_SIZE = 16 };

/* A certificate and its key. */
struct pair {
  gnutls_x509_crt_t certificate; /* owned; NULL: none */
  gnutls_x509_privkey_t key;     /* owned; NULL: none */
};

static int make_key (struct pair *p) {
  int code = gnutls_x509_privkey_init(&p->key);
  if (code == 0)
    code = gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA,
                                        GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
  return code;
}

static int set_serial (gnutls_x509_crt_t certificate) {
  unsigned char serial[SERIAL_SIZE];
  int code = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
  serial[0] = (serial[0] & 0x7F) | 0x40; /* a positive number of that size */
  return code == 0 ? gnutls_x509_crt_set_serial(certificate, serial, sizeof serial) : code;
}

/* A client whose clock is a day late accepts the certificate. */
static int set_times (gnutls_x509_crt_t certificate) {
  time_t now = time(NULL);
  int code = gnutls_x509_crt_set_activation_time(certificate, now - DAY);
  return code == 0 ? gnutls_x509_crt_set_expiration_time(certificate, now + LIFETIME) : code;
}

static int set_key_id (gnutls_x509_crt_t certificate, const struct pair *authority) {
  unsigned char id[64];
  size_t size = sizeof id;
  int code = gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA1, id, &size);
  if (code == 0) code = gnutls_x509_crt_set_subject_key_id(certificate, id, size);
  size = sizeof id;
  if (code == 0) code = gnutls_x509_crt_get_key_id(authority->certificate, GNUTLS_KEYID_USE_SHA1, id, &size);
  return code == 0 ? gnutls_x509_crt_set_authority_key_id(certificate, id, size) : code;
}

/* All that both certificates have. */
static int describe (struct pair *p, const struct pair *authority, const char *subject) {
  int code = make_key(p);
  if (code == 0) code = gnutls_x509_crt_init(&p->certificate);
  if (code == 0) code = gnutls_x509_crt_set_version(p->certificate, 3);
  if (code == 0) code = set_serial(p->certificate);
  if (code == 0) code = set_times(p->certificate);
  if (code == 0) code = gnutls_x509_crt_set_dn(p->certificate, subject, NULL);
  if (code == 0) code = gnutls_x509_crt_set_key(p->certificate, p->key);
  return code == 0 ? set_key_id(p->certificate, authority) : code;
}

static int sign (const struct pair *p, const struct pair *authority) {
  return gnutls_x509_crt_sign2(p->certificate, authority->certificate, authority->key, GNUTLS_DIG_SHA256, 0);
}

static int make_authority (struct pair *p) {
  int code = describe(p, p, "CN=datasession sandbox authority");
  if (code == 0) code = gnutls_x509_crt_set_basic_constraints(p->certificate, 1, 0);
  if (code == 0)
    code = gnutls_x509_crt_set_key_usage(p->certificate, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
  return code == 0 ? sign(p, p) : code;
}

static int add_name (gnutls_x509_crt_t certificate, const char *name) {
  unsigned char address[sizeof(struct in6_addr)];
  unsigned size = 0;
  if (inet_pton(AF_INET, name, address) == 1)
    size = sizeof(struct in_addr);
  else if (inet_pton(AF_INET6, name, address) == 1)
    size = sizeof(struct in6_addr);
  return size > 0 ? gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address, size,
                                                         GNUTLS_FSAN_APPEND)
                  : gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                                         (unsigned)strlen(name), GNUTLS_FSAN_APPEND);
}

static int make_server (struct pair *p, const struct pair *authority, const char *const *names,
                        size_t count) {
  int code = describe(p, authority, "CN=datasession sandbox");
  for (size_t i = 0; code == 0 && i < count; i++)
    code = add_name(p->certificate, names[i]);
  if (code == 0) code = gnutls_x509_crt_set_basic_constraints(p->certificate, 0, -1);
  if (code == 0) code = gnutls_x509_crt_set_key_usage(p->certificate, GNUTLS_KEY_DIGITAL_SIGNATURE);
  if (code == 0) code = gnutls_x509_crt_set_key_purpose_oid(p->certificate, GNUTLS_KP_TLS_WWW_SERVER, 0);
  return code == 0 ? sign(p, authority) : code;
}

static void cleanup_pair (struct pair *p) {
  if (p->certificate != NULL) gnutls_x509_crt_deinit(p->certificate);
  if (p->key != NULL) gnutls_x509_privkey_deinit(p->key);
}

const char *certificate_init (struct certificate *c, const char *const *names, size_t count) {
  struct pair authority = {NULL, NULL}, server = {NULL, NULL};
  memset(c, 0, sizeof *c);
  int code = make_authority(&authority);
  if (code == 0) code = make_server(&server, &authority, names, count);
  if (code == 0) code = gnutls_x509_crt_export2(authority.certificate, GNUTLS_X509_FMT_PEM, &c->authority);
  if (code == 0) code = gnutls_x509_crt_export2(server.certificate, GNUTLS_X509_FMT_PEM, &c->server);
  if (code == 0) code = gnutls_x509_privkey_export2(server.key, GNUTLS_X509_FMT_PEM, &c->key);
  cleanup_pair(&authority);
  cleanup_pair(&server);
  return code == 0 ? NULL : gnutls_strerror(code);
}

void certificate_cleanup (struct certificate *c) {
  gnutls_free(c->authority.data);
  gnutls_free(c->server.data);
  gnutls_free(c->key.data);
  memset(c, 0, sizeof *c);
}
