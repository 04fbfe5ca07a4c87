#include "net/lanes.h"

#include <string.h>

void lanes_init (struct lanes *l, const struct allocator *memory) {
  memset(l, 0, sizeof *l);
  l->memory = memory;
}

static void free_lane (struct lanes *l, struct lane *lane) {
  memory_free(l->memory, lane, lane->size);
  l->count--;
}

void lanes_cleanup (struct lanes *l) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    while (l->slots[i]) {
      struct lane *lane = l->slots[i];
      l->slots[i] = lane->next;
      free_lane(l, lane);
    }
}

static struct lane **slot_of (struct lanes *l, unsigned hash) {
  return &l->slots[hash % LANE_SLOTS];
}

static struct lane *new_lane (struct lanes *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  size_t length = strlen(origin), size = sizeof(struct lane) + length + 1;
  struct lane *lane = memory_new(l->memory, size);
  if (!lane) return NULL;
  lane->size = size;
  lane->hash = uri_origin_hash(u);
  lane->most = most;
  memcpy(lane->origin, origin, length + 1);
  l->count++;
  return lane;
}

struct lane *lanes_find (struct lanes *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  struct lane **slot = slot_of(l, uri_origin_hash(u));
  for (struct lane *lane = *slot; lane; lane = lane->next)
    if (strcmp(lane->origin, origin) == 0) return lane;
  struct lane *lane = new_lane(l, u, most);
  if (!lane) return NULL;
  lane->next = *slot;
  *slot = lane;
  return lane;
}

void lanes_limit (struct lanes *l, size_t most) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    for (struct lane *lane = l->slots[i]; lane; lane = lane->next)
      lane->most = most;
}

bool lane_is_full (const struct lane *lane) {
  return lane->flying >= lane->most;
}

bool lane_has_window (const struct lane *lane, size_t size) {
  enum { WINDOW = 65535 }; /* RFC 9113, 6.9.2 */
  return !lane->uploaded || (size <= WINDOW && lane->uploaded <= WINDOW - size);
}

void lanes_tidy (struct lanes *l, struct lane *lane) {
  if (lane->flying || lane->waiting.count || l->count <= LANE_SLOTS) return;
  struct lane **place = slot_of(l, lane->hash);
  while (*place != lane)
    place = &(*place)->next;
  *place = lane->next;
  free_lane(l, lane);
}

struct exchange *lanes_first_waiting (const struct lanes *l) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    for (struct lane *lane = l->slots[i]; lane; lane = lane->next)
      if (lane->waiting.first) return lane->waiting.first;
  return NULL;
}
