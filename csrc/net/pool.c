#include "net/pool.h"

enum { SEARCHED = 16 }; /* handles that are compared, so that a request's cost does not grow with the pool */

void pool_init (struct pool *p, const struct allocator *memory, size_t limit,
                const struct handle_lines *lines, struct sockets *sockets) {
  p->memory = memory;
  p->lines = lines;
  p->sockets = sockets;
  p->idle = NULL;
  p->count = 0;
  p->limit = limit;
  p->forgotten = 0;
}

static struct handle *take_out (struct pool *p, struct handle **place) {
  struct handle *h = *place;
  *place = h->next;
  h->next = NULL;
  p->count--;
  return h;
}

void pool_cleanup (struct pool *p) {
  while (p->idle)
    handle_free(take_out(p, &p->idle));
}

void pool_set_limit (struct pool *p, size_t limit) {
  p->limit = limit;
  while (p->count > limit)
    handle_free(take_out(p, &p->idle));
}

static struct handle *add (struct pool *p) {
  struct handle *h = handle_new(p->memory, p->lines, p->sockets);
  if (h) h->cleared = p->forgotten;
  return h;
}

struct handle *pool_take (struct pool *p, const struct exchange *x) {
  struct handle **best = &p->idle, **place = &p->idle;
  int most = -1;
  if (!p->idle) return add(p);
  for (int i = 0; i < SEARCHED && *place; i++, place = &(*place)->next) {
    int likeness = handle_likeness(*place, x);
    if (likeness > most) most = likeness, best = place;
  }
  return take_out(p, best);
}

static CURLcode renew (struct pool *p, struct handle *h) {
  h->cleared = p->forgotten;
  return handle_forget(h);
}

/*
** True if libcurl may hold a secret in what the handle sent: a body, or a request of a session that was
** forgotten since.
*/
static bool holds_sent (const struct pool *p, const struct handle *h) {
  return p->lines->keeps_sent && (h->sent_body || h->cleared != p->forgotten);
}

/*
** Before 8.x libcurl counts retries over a handle's whole life and fails the sixth, so such a handle is
** renewed.
*/
static CURLcode let_go (struct pool *p, struct handle *h) {
  if (h->retried || holds_sent(p, h)) return renew(p, h);
  return h->jar && cookie_jar_is_forgotten(h->jar) ? handle_let_go(h) : CURLE_OK;
}

void pool_give (struct pool *p, struct handle *h) {
  handle_rest(h);
  if (p->count >= p->limit || let_go(p, h)) {
    handle_free(h);
    return;
  }
  h->next = p->idle;
  p->idle = h;
  p->count++;
}

static CURLcode forget (struct pool *p, struct handle *h, const struct cookie_jar *jar) {
  if (holds_sent(p, h)) return renew(p, h);
  return h->jar == jar ? handle_let_go(h) : CURLE_OK;
}

void pool_forget_jar (struct pool *p, const struct cookie_jar *jar) {
  if (cookie_jar_has_secret(jar)) p->forgotten++;
  for (struct handle **place = &p->idle; *place;) {
    if (forget(p, *place, jar))
      handle_free(take_out(p, place));
    else
      place = &(*place)->next;
  }
}
