#include "net/host_queue.h"

#include <string.h>

void host_queues_init (struct host_queues *l, const struct allocator *memory) {
  memset(l, 0, sizeof *l);
  l->memory = memory;
}

static void free_queue (struct host_queues *l, struct host_queue *host) {
  memory_free(l->memory, host, host->size);
  l->count--;
}

void host_queues_cleanup (struct host_queues *l) {
  for (size_t i = 0; i < HOST_QUEUE_SLOTS; i++)
    while (l->slots[i]) {
      struct host_queue *host = l->slots[i];
      l->slots[i] = host->next;
      free_queue(l, host);
    }
}

static struct host_queue **slot_of (struct host_queues *l, unsigned hash) {
  return &l->slots[hash % HOST_QUEUE_SLOTS];
}

static struct host_queue *new_queue (struct host_queues *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  size_t length = strlen(origin), size = sizeof(struct host_queue) + length + 1;
  struct host_queue *host = memory_new(l->memory, size);
  if (!host) return NULL;
  host->size = size;
  host->hash = uri_origin_hash(u);
  host->most = most;
  memcpy(host->origin, origin, length + 1);
  l->count++;
  return host;
}

struct host_queue *host_queues_find (struct host_queues *l, const struct uri *u, size_t most) {
  const char *origin = uri_origin(u);
  struct host_queue **slot = slot_of(l, uri_origin_hash(u));
  for (struct host_queue *host = *slot; host; host = host->next)
    if (strcmp(host->origin, origin) == 0) return host;
  struct host_queue *host = new_queue(l, u, most);
  if (!host) return NULL;
  host->next = *slot;
  *slot = host;
  return host;
}

void host_queues_limit (struct host_queues *l, size_t most) {
  for (size_t i = 0; i < HOST_QUEUE_SLOTS; i++)
    for (struct host_queue *host = l->slots[i]; host; host = host->next)
      host->most = most;
}

bool host_queue_is_full (const struct host_queue *host) {
  return host->running >= host->most;
}

/* GCOVR_EXCL_START: run where libcurl multiplexes, from 8.x on */
bool host_queue_has_window (const struct host_queue *host, size_t size) {
  enum { WINDOW = 65535 }; /* RFC 9113, 6.9.2 */
  return !host->uploaded || (size <= WINDOW && host->uploaded <= WINDOW - size);
}
/* GCOVR_EXCL_STOP */

void host_queues_tidy (struct host_queues *l, struct host_queue *host) {
  if (host->running || host->waiting.count || l->count <= HOST_QUEUE_SLOTS) return;
  struct host_queue **place = slot_of(l, host->hash);
  while (*place != host)
    place = &(*place)->next;
  *place = host->next;
  free_queue(l, host);
}

struct exchange *host_queues_first_waiting (const struct host_queues *l) {
  for (size_t i = 0; i < HOST_QUEUE_SLOTS; i++)
    for (struct host_queue *host = l->slots[i]; host; host = host->next)
      if (host->waiting.first) return host->waiting.first;
  return NULL;
}
