/*
** allocator: where net's memory comes from. The owner of an engine hands in a function of lua_Alloc's
** shape (without Lua), so that a host's limits hold for what net allocates too.
*/
#ifndef NET_ALLOCATOR_H
#define NET_ALLOCATOR_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct allocator {
  void *(*resize)(void *ud, void *block, size_t old_size, size_t new_size); /* new_size 0 frees */
  void *ud;                                                                 /* borrowed */
};

/* A block of `size` bytes that are all zero, or NULL. */
void *memory_new (const struct allocator *memory, size_t size);

/* The block grown or shrunk, or NULL: the old block then stands. A shrinking resize may fail too. */
void *memory_resize (const struct allocator *memory, void *block, size_t old_size, size_t new_size);

/* Accepts NULL. `size` is what the block was allocated with. */
void memory_free (const struct allocator *memory, void *block, size_t size);

/* The same, overwriting the block first; for all that held a secret. */
void memory_wipe_free (const struct allocator *memory, void *block, size_t size);

/* Overwrites with zeros in a way that the compiler does not drop. */
void memory_wipe (void *block, size_t size);

#pragma GCC visibility pop

#endif
