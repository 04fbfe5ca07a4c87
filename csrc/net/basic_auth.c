#include "net/basic_auth.h"

#include <stddef.h>
#include <string.h>

static const char start[] = "Authorization: Basic ";

/* User, colon and password as one text. */
struct proof {
  const char *user, *password;
  size_t user_length, length;
};

/* The byte at `i`; 0 after the end. */
static unsigned byte_at (const struct proof *p, size_t i) {
  if (i < p->user_length) return (unsigned char)p->user[i];
  if (i == p->user_length) return ':';
  return i < p->length ? (unsigned char)p->password[i - p->user_length - 1] : 0;
}

/* RFC 4648, 4 */
static void write_base64 (char *to, const struct proof *p) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < p->length; i += 3) {
    unsigned three = byte_at(p, i) << 16 | byte_at(p, i + 1) << 8 | byte_at(p, i + 2);
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = digits[three >> 6 & 63];
    *to++ = digits[three & 63];
  }
  for (size_t left = p->length % 3; left && left < 3; left++)
    to[(ptrdiff_t)left - 3] = '=';
  *to = '\0';
}

struct basic_auth *basic_auth_new (const struct allocator *memory, const char *user, size_t user_length,
                                   const char *password, size_t password_length) {
  struct proof proof = {user, password, user_length, user_length + 1 + password_length};
  size_t size = sizeof(struct basic_auth) + sizeof start + (proof.length + 2) / 3 * 4;
  struct basic_auth *c = memory_new(memory, size);
  if (!c) return NULL;
  c->memory = memory;
  c->references = 1;
  c->size = size;
  memcpy(c->line, start, sizeof start - 1);
  write_base64(c->line + sizeof start - 1, &proof);
  return c;
}

struct basic_auth *basic_auth_keep (struct basic_auth *c) {
  if (c) c->references++;
  return c;
}

void basic_auth_release (struct basic_auth *c) {
  if (c && --c->references == 0) memory_wipe_free(c->memory, c, c->size);
}
