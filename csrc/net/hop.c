#include "net/hop.h"

#include <string.h>

enum { MOST_HOPS = 64 };

static void free_one (const struct allocator *memory, struct kept_hop *kept) {
  uri_release(kept->hop.uri);
  memory_free(memory, kept, kept->size);
}

static void bound (const struct allocator *memory, struct kept_hop *list) {
  for (int i = 1; list && i < MOST_HOPS; i++)
    list = list->earlier;
  if (list) hop_free_all(memory, &list->earlier);
}

void hop_keep (const struct allocator *memory, struct kept_hop **list, const struct hop *hop) {
  size_t length = strlen(hop->method) + 1, size = sizeof(struct kept_hop) + length;
  struct kept_hop *kept = memory_new(memory, size);
  if (!kept) return; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  kept->size = size;
  kept->hop = *hop;
  memcpy(kept->method, hop->method, length);
  kept->hop.method = kept->method;
  uri_keep(kept->hop.uri);
  kept->earlier = *list;
  *list = kept;
  bound(memory, kept);
}

void hop_join (struct kept_hop **list, struct kept_hop *earlier) {
  while (*list)
    list = &(*list)->earlier;
  *list = earlier;
}

void hop_free_all (const struct allocator *memory, struct kept_hop **list) {
  while (*list) {
    struct kept_hop *kept = *list;
    *list = kept->earlier;
    free_one(memory, kept);
  }
}
