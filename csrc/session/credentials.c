#include "session/credentials.h"

#include <string.h>

struct credentials credentials_read (lua_State *L) {
  struct credentials as = {NULL, NULL, 0, 0};
  as.user = lua_tolstring(L, 2, &as.user_length);
  as.password = lua_tolstring(L, 3, &as.password_length);
  return as;
}

/* One block: the struct, and both texts with their NULs behind it. */
static size_t size_of (const struct credentials *as) {
  return sizeof *as + as->user_length + as->password_length + 2;
}

static const char *place (char *at, const char *text, size_t length) {
  if (!text) return NULL;
  memcpy(at, text, length);
  return at;
}

struct credentials *credentials_copy (const struct allocator *memory, const struct credentials *from) {
  struct credentials *copy = memory_new(memory, size_of(from));
  char *text;
  if (!copy) return NULL;
  text = (char *)(copy + 1);
  *copy = *from;
  copy->user = place(text, from->user, from->user_length);
  copy->password = place(text + from->user_length + 1, from->password, from->password_length);
  return copy;
}

void credentials_free (const struct allocator *memory, struct credentials *copy) {
  if (copy) memory_wipe_free(memory, copy, size_of(copy));
}
