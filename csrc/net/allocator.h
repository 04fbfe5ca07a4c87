/*
** allocator: the source of net's memory. The owner of an engine passes a function of lua_Alloc's shape
** (without Lua), so that the host's limits also hold for net.
*/
#ifndef NET_ALLOCATOR_H
#define NET_ALLOCATOR_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

struct allocator {
  void *(*resize)(void *ud, void *block, size_t old_size, size_t new_size); /* new_size 0 frees */
  void *ud;                                                                 /* borrowed */
};

/* A block of `size` zero bytes. NULL: out of memory. */
void *memory_new (const struct allocator *memory, size_t size);

/* Grows or shrinks the block. NULL: out of memory, also when it shrinks; the old block stays. */
void *memory_resize (const struct allocator *memory, void *block, size_t old_size, size_t new_size);

/* Accepts NULL. `size` is the block's allocated size. */
void memory_free (const struct allocator *memory, void *block, size_t size);

/* Overwrites the block and frees it, for blocks that held a secret. */
void memory_wipe_free (const struct allocator *memory, void *block, size_t size);

/* Overwrites the block with zeros; the compiler does not drop the call. */
void memory_wipe (void *block, size_t size);

#pragma GCC visibility pop

#endif
