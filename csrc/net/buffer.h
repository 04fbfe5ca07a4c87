/*
** buffer: bytes that grow up to a limit given at birth. Owns its block. The block always ends in a NUL
** that `length` does not count, once anything was added.
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
  size_t limit; /* bytes that may be added in all, the NUL apart */
  bool secret;  /* set it after buffer_init: a block that was outgrown is then overwritten too */
};

enum buffer_result { BUFFER_OK, BUFFER_FULL, BUFFER_NO_MEMORY };

void buffer_init (struct buffer *b, const struct allocator *memory, size_t limit);

/* All of the bytes or none. */
enum buffer_result buffer_add (struct buffer *b, const void *data, size_t length);

/* Shortens it to `length` bytes, of which it has as many or more. */
void buffer_cut (struct buffer *b, size_t length);

/* Empty again, keeping the block. */
void buffer_clear (struct buffer *b);

/* Frees the block; the buffer is empty and may be used again. */
void buffer_cleanup (struct buffer *b);

/* The same, overwriting the block first. */
void buffer_wipe (struct buffer *b);

#pragma GCC visibility pop

#endif
