#include "net/buffer.h"

#include <stdint.h>
#include <string.h>

#define FIRST_CAPACITY 512 /* holds a usual header block in one allocation */

void buffer_init (struct buffer *b, const struct allocator *memory, size_t limit) {
  memset(b, 0, sizeof *b);
  b->memory = memory;
  b->limit = limit < SIZE_MAX / 2 ? limit : SIZE_MAX / 2; /* doubling then never overflows */
}

/* Not by realloc, which would leave a copy of the secret. */
static char *move_secret (struct buffer *b, size_t capacity) {
  char *data = memory_resize(b->memory, NULL, 0, capacity);
  if (!data) return NULL;
  if (b->length) memcpy(data, b->data, b->length);
  memory_wipe_free(b->memory, b->data, b->capacity);
  return data;
}

static bool grow (struct buffer *b, size_t needed) {
  size_t capacity = b->capacity ? b->capacity * 2 : FIRST_CAPACITY;
  if (capacity > b->limit + 1) capacity = b->limit + 1;
  if (capacity < needed) capacity = needed;
  char *data =
      b->secret ? move_secret(b, capacity) : memory_resize(b->memory, b->data, b->capacity, capacity);
  if (!data) return false;
  b->data = data;
  b->capacity = capacity;
  return true;
}

enum buffer_result buffer_add (struct buffer *b, const void *data, size_t length) {
  if (length > b->limit - b->length) return BUFFER_FULL;
  size_t needed = b->length + length + 1;
  if (needed > b->capacity && !grow(b, needed)) return BUFFER_NO_MEMORY;
  if (length) memcpy(b->data + b->length, data, length);
  b->length += length;
  b->data[b->length] = '\0';
  return BUFFER_OK;
}

void buffer_cut (struct buffer *b, size_t length) {
  b->length = length;
  if (b->data) b->data[length] = '\0';
}

void buffer_clear (struct buffer *b) {
  buffer_cut(b, 0);
}

static void drop_block (struct buffer *b) {
  b->data = NULL;
  b->length = b->capacity = 0;
}

void buffer_cleanup (struct buffer *b) {
  memory_free(b->memory, b->data, b->capacity);
  drop_block(b);
}

void buffer_wipe (struct buffer *b) {
  memory_wipe_free(b->memory, b->data, b->capacity);
  drop_block(b);
}
