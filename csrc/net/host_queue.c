#include "net/host_queue.h"

#include <string.h>

void host_queues_init (struct host_queues *l, const struct allocator *memory) {
  memset(l, 0, sizeof *l);
  l->memory = memory;
}

static void free_lane (struct host_queues *l, struct host_queue *lane) {
  memory_free(l->memory, lane, lane->size);
  l->count--;
}

void host_queues_cleanup (struct host_queues *l) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    while (l->slots[i]) {
      struct host_queue *lane = l->slots[i];
      l->slots[i] = lane->next;
      free_lane(l, lane);
    }
}

static struct host_queue **slot_of (struct host_queues *l, unsigned hash) {
  return &l->slots[hash % LANE_SLOTS];
}

static struct host_queue *new_lane (struct host_queues *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  size_t length = strlen(origin), size = sizeof(struct host_queue) + length + 1;
  struct host_queue *lane = memory_new(l->memory, size);
  if (!lane) return NULL;
  lane->size = size;
  lane->hash = uri_origin_hash(u);
  lane->most = most;
  memcpy(lane->origin, origin, length + 1);
  l->count++;
  return lane;
}

struct host_queue *host_queues_find (struct host_queues *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  struct host_queue **slot = slot_of(l, uri_origin_hash(u));
  for (struct host_queue *lane = *slot; lane; lane = lane->next)
    if (strcmp(lane->origin, origin) == 0) return lane;
  struct host_queue *lane = new_lane(l, u, most);
  if (!lane) return NULL;
  lane->next = *slot;
  *slot = lane;
  return lane;
}

void host_queues_limit (struct host_queues *l, size_t most) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    for (struct host_queue *lane = l->slots[i]; lane; lane = lane->next)
      lane->most = most;
}

bool host_queue_is_full (const struct host_queue *lane) {
  return lane->flying >= lane->most;
}

bool lane_has_window (const struct host_queue *lane, size_t size) {
  enum { WINDOW = 65535 }; /* RFC 9113, 6.9.2 */
  return !lane->uploaded || (size <= WINDOW && lane->uploaded <= WINDOW - size);
}

void host_queues_tidy (struct host_queues *l, struct host_queue *lane) {
  if (lane->flying || lane->waiting.count || l->count <= LANE_SLOTS) return;
  struct host_queue **place = slot_of(l, lane->hash);
  while (*place != lane)
    place = &(*place)->next;
  *place = lane->next;
  free_lane(l, lane);
}

struct exchange *host_queues_first_waiting (const struct host_queues *l) {
  for (size_t i = 0; i < LANE_SLOTS; i++)
    for (struct host_queue *lane = l->slots[i]; lane; lane = lane->next)
      if (lane->waiting.first) return lane->waiting.first;
  return NULL;
}
