#include "net/allocator.h"

#include <string.h>

/* Through a volatile pointer the call may do anything, so the compiler cannot drop it. */
static void *(*const volatile overwrite)(void *, int, size_t) = memset;

void *memory_new (const struct allocator *memory, size_t size) {
  void *block = memory->resize(memory->ud, NULL, 0, size);
  if (block) memset(block, 0, size);
  return block;
}

void *memory_resize (const struct allocator *memory, void *block, size_t old_size, size_t new_size) {
  return memory->resize(memory->ud, block, old_size, new_size);
}

void memory_free (const struct allocator *memory, void *block, size_t size) {
  if (block) memory->resize(memory->ud, block, size, 0);
}

/* Wipes in steps: for larger blocks memset uses an instruction that is slow to start. */
void memory_wipe (void *block, size_t size) {
  enum { STEP = 1024 };
  char *at = block;
  for (; size > STEP; size -= STEP, at += STEP)
    overwrite(at, 0, STEP);
  if (size) overwrite(at, 0, size);
}

void memory_wipe_free (const struct allocator *memory, void *block, size_t size) {
  if (!block) return;
  memory_wipe(block, size);
  memory_free(memory, block, size);
}
