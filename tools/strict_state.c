/*
** strict_state: Lua's lauxlib.c for the interpreter of `make apicheck`, with another allocator: it fills new
** and released blocks with rubbish, moves each block that is resized, and aborts with a message if a block is
** released with another size than it has, was written beyond its end, or remains when its state is closed.
** The last is not asked of a forked child, where the library leaves alone what belongs to its parent.
*/
#define lauxlib_c
#define LUA_LIB
#include "lprefix.h"

#include "lua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRESH = 0xA5, RELEASED = 0x5A };

static const unsigned char fence[16] = "beyond the end!";

/* Stands before each block; its size keeps the block aligned for any type. */
union head {
  size_t size;
  long double aligned;
};

/* The blocks of one state. Lua allocates `state` first and releases it last. */
struct account {
  size_t blocks, bytes;
  void *state;
  pid_t owner;
};

static void fail (const char *format, size_t first, size_t second) {
  fputs("strict_state: ", stderr);
  fprintf(stderr, format, first, second);
  fputc('\n', stderr);
  abort();
}

static void *take (struct account *a, size_t size) {
  union head *head = malloc(sizeof *head + size + sizeof fence);
  unsigned char *block = (unsigned char *)(head + 1);
  if (!head) return NULL;
  head->size = size;
  memset(block, FRESH, size);
  memcpy(block + size, fence, sizeof fence);
  a->blocks++;
  a->bytes += size;
  return block;
}

static void release (struct account *a, unsigned char *block, size_t size) {
  union head *head = (union head *)(void *)block - 1;
  if (head->size != size) fail("a block of %zu bytes is released as one of %zu", head->size, size);
  if (memcmp(block + size, fence, sizeof fence))
    fail("a block of %zu bytes was written beyond its end", size, 0);
  memset(block, RELEASED, size);
  memset(block + size, RELEASED, sizeof fence);
  head->size = (size_t)-1;
  free(head);
  a->blocks--;
  a->bytes -= size;
}

static void *resize (void *ud, void *block, size_t old_size, size_t size) {
  struct account *a = ud;
  void *now = NULL;
  if (size && !(now = take(a, size))) return NULL;
  if (!a->state) a->state = now;
  if (!block) return now;
  if (now) memcpy(now, block, old_size < size ? old_size : size);
  release(a, block, old_size);
  if (block == a->state) {
    if (a->blocks && a->owner == getpid())
      fail("%zu blocks of %zu bytes remain when the state is closed", a->blocks, a->bytes);
    free(a);
  }
  return now;
}

/* The allocator that lauxlib.c names is not used. */
static lua_State *strict_newstate (lua_Alloc usual) {
  struct account *a = calloc(1, sizeof *a);
  lua_State *L;
  (void)usual;
  if (!a) return NULL;
  a->owner = getpid();
  L = lua_newstate(resize, a);
  if (!L) free(a);
  return L;
}

#define lua_newstate(usual, ud) strict_newstate(usual)
#include "lauxlib.c"
