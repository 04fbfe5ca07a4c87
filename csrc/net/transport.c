#include "net/transport.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool environment_names_proxy (void) {
  static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (getenv(names[i])) return true;
  return false;
}

struct transport *transport_new (const struct allocator *memory) {
  struct transport *t = memory_new(memory, sizeof *t);
  if (!t) return NULL;
  t->memory = memory;
  t->references = 1;
  t->connect_timeout = 10;
  t->timeout = 30;
  t->max_response = (size_t)64 << 20;
  t->max_redirects = 5;
  t->environment_proxy = environment_names_proxy();
  return t;
}

static void clear (const struct transport *t, char **field) {
  if (*field) memory_wipe_free(t->memory, *field, strlen(*field) + 1);
  *field = NULL;
}

bool transport_set (struct transport *t, char **field, const char *value) {
  char *copy = NULL;
  if (value) {
    size_t size = strlen(value) + 1;
    copy = memory_new(t->memory, size);
    if (!copy) return false;
    memcpy(copy, value, size);
  }
  clear(t, field);
  *field = copy;
  return true;
}

struct transport *transport_keep (struct transport *t) {
  if (t) t->references++;
  return t;
}

void transport_release (struct transport *t) {
  if (!t || --t->references > 0) return;
  if (t->place) *t->place = t->next;
  if (t->next) t->next->place = t->place;
  clear(t, &t->proxy);
  clear(t, &t->ca_file);
  clear(t, &t->ca_path);
  clear(t, &t->crl_file);
  clear(t, &t->pinned_key);
  clear(t, &t->cert_file);
  clear(t, &t->key_file);
  clear(t, &t->key_password);
  clear(t, &t->cert_alias);
  clear(t, &t->user_agent);
  memory_free(t->memory, t, sizeof *t);
}

static bool same_text (const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_key (const struct transport *a, const struct transport *b) {
  return same_text(a->cert_file, b->cert_file) && same_text(a->key_file, b->key_file) &&
         same_text(a->key_password, b->key_password);
}

static unsigned find_number (const struct transport *t, struct transport_keys *keys) {
  const struct transport *other = keys->first;
  while (other && !same_key(t, other))
    other = other->next;
  return other ? other->number : ++keys->numbers;
}

/* Writes the number's bits as "./" or "/" into the path, which leads to the same file. */
static char *write_alias (const struct transport *t) {
  enum { BITS = 32 };
  bool absolute = *t->cert_file == '/';
  const char *file = t->cert_file + absolute;
  char way[sizeof "/./" + 2 * (size_t)BITS], *to = way, *alias;
  to += sprintf(to, "%s", absolute ? "/./" : "./");
  for (unsigned bit = 0; bit < BITS; bit++)
    to += sprintf(to, "%s", t->number >> bit & 1 ? "./" : "/");
  alias = memory_new(t->memory, (size_t)(to - way) + strlen(file) + 1);
  if (!alias) return NULL;
  memcpy(alias, way, (size_t)(to - way));
  memcpy(alias + (to - way), file, strlen(file) + 1);
  return alias;
}

/* Other sources of a certificate, such as PKCS #11 URIs, have only one name. */
static bool is_file (const char *name) {
  return strncmp(name, "pkcs11:", 7) != 0;
}

bool transport_number_key (struct transport *t, struct transport_keys *keys) {
  if (!t->cert_file || (!t->key_file && !t->key_password) || !is_file(t->cert_file)) return true;
  t->number = find_number(t, keys);
  t->cert_alias = write_alias(t);
  if (!t->cert_alias) return false;
  t->next = keys->first;
  if (t->next) t->next->place = &t->next;
  t->place = &keys->first;
  keys->first = t;
  return true;
}

bool transport_same_connection (const struct transport *a, const struct transport *b) {
  if (a == b) return true;
  return a->connect_timeout == b->connect_timeout && a->insecure == b->insecure &&
         a->no_proxy == b->no_proxy && a->environment_proxy == b->environment_proxy &&
         same_text(a->proxy, b->proxy) && same_text(a->ca_file, b->ca_file) &&
         same_text(a->ca_path, b->ca_path) && same_text(a->crl_file, b->crl_file) &&
         same_text(a->pinned_key, b->pinned_key) && same_text(a->cert_file, b->cert_file) &&
         same_text(a->key_file, b->key_file) && same_text(a->key_password, b->key_password) &&
         same_text(a->user_agent, b->user_agent);
}

bool transport_same (const struct transport *a, const struct transport *b) {
  return transport_same_connection(a, b) && a->timeout == b->timeout &&
         a->stall_timeout == b->stall_timeout && a->max_response == b->max_response &&
         a->max_redirects == b->max_redirects && a->http2 == b->http2;
}
