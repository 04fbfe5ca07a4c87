#include "wiping.h"

#include "allocator.h"

#include <curl/curl.h>

#ifdef __linux__

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void wipe_free (void *block) {
  if (!block) return;
  memory_wipe(block, malloc_usable_size(block));
  free(block);
}

/* realloc would leave the old block behind as it is. */
static void *wipe_resize (void *block, size_t size) {
  size_t old = block ? malloc_usable_size(block) : 0;
  void *moved = malloc(size);
  if (!moved || !block) return moved;
  memcpy(moved, block, old < size ? old : size);
  wipe_free(block);
  return moved;
}

void wiping_init_curl (void) {
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_free, wipe_resize, strdup, calloc);
}

#else

void wiping_init_curl (void) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
}

#endif
