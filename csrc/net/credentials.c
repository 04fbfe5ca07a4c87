#include "credentials.h"

#include <string.h>

static char *copy (const struct allocator *memory, const char *text, size_t length) {
  char *block = memory_new(memory, length + 1);
  if (block && length) memcpy(block, text, length);
  return block;
}

static void free_all (struct credentials *c) {
  memory_wipe_free(c->memory, c->user, c->user_size);
  memory_wipe_free(c->memory, c->password, c->password_size);
  memory_free(c->memory, c, sizeof *c);
}

struct credentials *credentials_new (const struct allocator *memory, const char *user, size_t user_length,
                                     const char *password, size_t password_length) {
  struct credentials *c = memory_new(memory, sizeof *c);
  if (!c) return NULL;
  c->memory = memory;
  c->references = 1;
  c->user = copy(memory, user, user_length);
  c->user_size = user_length + 1;
  c->password = copy(memory, password, password_length);
  c->password_size = password_length + 1;
  if (c->user && c->password) return c;
  free_all(c);
  return NULL;
}

struct credentials *credentials_keep (struct credentials *c) {
  if (c) c->references++;
  return c;
}

void credentials_release (struct credentials *c) {
  if (c && --c->references == 0) free_all(c);
}
