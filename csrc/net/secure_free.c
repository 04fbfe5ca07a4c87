#include "net/secure_free.h"

#include "net/allocator.h"

#include <curl/curl.h>

#ifdef __linux__

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* Most blocks of a request are smaller than this. A usable size is a multiple of a word's. */
enum { FEW = 12 * sizeof(size_t) };

static void wipe_free (void *block) {
  size_t size, i;
  volatile size_t *words = block;
  if (!block) return;
  size = malloc_usable_size(block);
  if (size > FEW)
    memory_wipe(block, size);
  else
    for (i = 0; i < size / sizeof *words; i++)
      words[i] = 0;
  free(block);
}

/*
** Not by realloc, which would leave the old block. A small block gets four times its new size: a block that
** has grown once grows again, because libcurl doubles the blocks in which it builds requests.
*/
static void *wipe_resize (void *block, size_t size) {
  enum { LARGE = 1024 };
  size_t old = block ? malloc_usable_size(block) : 0;
  void *moved;
  if (!size) {
    /* GCOVR_EXCL_START: libcurl resizes no block to nothing */
    wipe_free(block);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  if (size <= old) return block;
  moved = malloc(block && size < LARGE ? size * 4 : size);
  if (!moved || !block) return moved;
  memcpy(moved, block, old < size ? old : size);
  wipe_free(block);
  return moved;
}

void secure_free_init_curl (void) {
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_resize, strdup, calloc);
}

#else

void secure_free_init_curl (void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

#endif
