/* HTTP Basic: the header line is one of base64, and says the name and the password that were given. */
#include "net/basic_auth.h"
#include "support.h"

static const char start[] = "Authorization: Basic ";

/* The value of a digit; 64 of what is none. */
static unsigned value_of (char c) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = c ? strchr(digits, c) : NULL;
  return at ? (unsigned)(at - digits) : 64;
}

/* RFC 4648, 4; the number of bytes. */
static size_t decode (uint8_t *to, const char *text) {
  size_t length = strlen(text), n = 0, digits = strcspn(text, "=");
  fuzz_check(length % 4 == 0 && length - digits <= 2, "base64 is padded to fours");
  fuzz_check(strspn(text + digits, "=") == length - digits, "and padded at its end alone");
  unsigned bits = 0, held = 0;
  for (size_t i = 0; i < digits; i++) {
    fuzz_check(value_of(text[i]) < 64, "it has digits of base64 only");
    bits = bits << 6 | value_of(text[i]);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    to[n++] = (uint8_t)(bits >> held);
    bits &= (1u << held) - 1;
  }
  fuzz_check(bits == 0, "no bits are left over");
  return n;
}

/* The name ends at the first colon, which it cannot hold. */
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  const uint8_t *colon = size ? memchr(data, ':', size) : NULL;
  if (!colon) return 0;
  size_t user_length = (size_t)(colon - data);
  struct basic_auth *c = basic_auth_new(&fuzz_memory, (const char *)data, user_length,
                                        (const char *)colon + 1, size - user_length - 1);
  if (!c) abort();
  fuzz_check(!strncmp(c->line, start, sizeof start - 1), "the line begins with the header's name");
  uint8_t *read = fuzz_room(strlen(c->line));
  fuzz_check(decode(read, c->line + sizeof start - 1) == size && !memcmp(read, data, size),
             "it says name and password");
  free(read);
  basic_auth_release(basic_auth_keep(c));
  basic_auth_release(c);
  return 0;
}
