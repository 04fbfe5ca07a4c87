#include "net/retry_budget.h"

#include "net/timers.h"

struct retry_budget {
  struct retry_budget *next; /* owned */
  struct uri *uri;           /* owned reference: its origin counts */
  double tokens, counted;    /* the number of tokens at a time of clock_now */
};

/*
** At most so many retries at once. Further ones need tokens that are given back: one each second; one when a
** retry succeeds; a tenth by each other success.
*/
static const double most = 100, each_second = 1, each_retry = 1, each_success = 0.1;

/* `*link` is dropped. */
static void drop (struct retry_budget **link, const struct allocator *memory) {
  struct retry_budget *b = *link;
  *link = b->next;
  uri_release(b->uri);
  memory_free(memory, b, sizeof *b);
}

static void refill (struct retry_budget *b, double now) {
  b->tokens += (now - b->counted) * each_second;
  b->counted = now;
}

/* The bucket of the origin, with its tokens of now; NULL: it is full. Drops the full ones on the way. */
static struct retry_budget *find (struct retry_budget **list, const struct allocator *memory,
                                  const struct uri *uri) {
  struct retry_budget **link = list;
  double now = clock_now();
  while (*link) {
    struct retry_budget *b = *link;
    refill(b, now);
    if (b->tokens >= most)
      drop(link, memory);
    else if (uri_same_origin(b->uri, uri))
      return b;
    else
      link = &b->next;
  }
  return NULL;
}

bool retry_budget_take (struct retry_budget **list, const struct allocator *memory, struct uri *uri) {
  struct retry_budget *b = find(list, memory, uri);
  if (!b) {
    b = memory_new(memory, sizeof *b);
    if (!b) return false;
    b->next = *list;
    b->uri = uri_keep(uri);
    b->tokens = most;
    b->counted = clock_now();
    *list = b;
  }
  if (b->tokens < 1) return false;
  b->tokens -= 1;
  return true;
}

void retry_budget_give (struct retry_budget **list, const struct allocator *memory, const struct uri *uri,
                        bool again) {
  struct retry_budget *b = *list ? find(list, memory, uri) : NULL;
  if (b) b->tokens += again ? each_retry : each_success;
}

void retry_budget_free (struct retry_budget **list, const struct allocator *memory) {
  while (*list)
    drop(list, memory);
}
