#include "net/timers.h"

#include <limits.h>
#include <string.h>
#include <time.h>

double clock_now (void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int clock_milliseconds (double seconds) {
  double exact = seconds * 1000;
  if (exact >= INT_MAX) return INT_MAX;
  int whole = (int)exact;
  return whole < exact ? whole + 1 : whole;
}

void timers_init (struct timers *t, const struct allocator *memory) {
  memset(t, 0, sizeof *t);
  t->memory = memory;
}

void timers_cleanup (struct timers *t) {
  for (size_t i = 0; i < t->count; i++)
    t->heap[i]->place = 0;
  memory_free(t->memory, t->heap, t->capacity * sizeof *t->heap);
  t->heap = NULL;
  t->count = t->capacity = 0;
}

static void put (struct timers *t, size_t index, struct timer *timer) {
  t->heap[index] = timer;
  timer->place = index + 1;
}

static void rise (struct timers *t, size_t index) {
  struct timer *timer = t->heap[index];
  while (index > 0) {
    size_t parent = (index - 1) / 2;
    if (t->heap[parent]->when <= timer->when) break;
    put(t, index, t->heap[parent]);
    index = parent;
  }
  put(t, index, timer);
}

static void sink (struct timers *t, size_t index) {
  struct timer *timer = t->heap[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= t->count) break;
    if (child + 1 < t->count && t->heap[child + 1]->when < t->heap[child]->when) child++;
    if (timer->when <= t->heap[child]->when) break;
    put(t, index, t->heap[child]);
    index = child;
  }
  put(t, index, timer);
}

/* Restores the heap around `index`: at most one of the two calls moves the timer. */
static void settle (struct timers *t, size_t index) {
  struct timer *timer = t->heap[index];
  rise(t, index);
  sink(t, timer->place - 1);
}

bool timers_reserve (struct timers *t) {
  if (t->count < t->capacity) return true;
  size_t capacity = t->capacity ? t->capacity * 2 : 16;
  struct timer **heap =
      memory_resize(t->memory, t->heap, t->capacity * sizeof *heap, capacity * sizeof *heap);
  if (!heap) return false;
  t->heap = heap;
  t->capacity = capacity;
  return true;
}

bool timers_set (struct timers *t, struct timer *timer, double when) {
  if (!timer->place) {
    if (!timers_reserve(t)) return false;
    put(t, t->count++, timer);
  }
  timer->when = when;
  settle(t, timer->place - 1);
  return true;
}

void timers_clear (struct timers *t, struct timer *timer) {
  if (!timer->place) return;
  size_t index = timer->place - 1;
  struct timer *last = t->heap[--t->count];
  timer->place = 0;
  if (last == timer) return;
  put(t, index, last);
  settle(t, index);
}

struct timer *timers_due (struct timers *t, double now) {
  if (!t->count || t->heap[0]->when > now) return NULL;
  struct timer *timer = t->heap[0];
  timers_clear(t, timer);
  return timer;
}

double timers_next (const struct timers *t) {
  return t->count ? t->heap[0]->when : -1;
}
