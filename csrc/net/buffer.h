/*
** buffer: bytes that grow up to a limit, which is set at creation. Owns its block. Once anything was added,
** the block ends in a NUL that `length` does not count.
*/
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include "net/allocator.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct buffer {
  const struct allocator *memory; /* borrowed */
  char *data;                     /* owned; NULL while empty */
  size_t length;
  size_t capacity;
  size_t limit; /* the largest `length` */
  bool secret;  /* set it after buffer_init: outgrown blocks are then overwritten too */
};

enum buffer_result { BUFFER_OK, BUFFER_FULL, BUFFER_NO_MEMORY };

void buffer_init (struct buffer *b, const struct allocator *memory, size_t limit);

/* Adds all of the bytes or none. */
enum buffer_result buffer_add (struct buffer *b, const void *data, size_t length);

/* Shortens the buffer to `length` bytes, which must not exceed its length. */
void buffer_cut (struct buffer *b, size_t length);

/* Empties the buffer and keeps the block. */
void buffer_clear (struct buffer *b);

/* Frees the block; the buffer is empty and may be used again. */
void buffer_cleanup (struct buffer *b);

/* Overwrites the block and frees it. */
void buffer_wipe (struct buffer *b);

#pragma GCC visibility pop

#endif
