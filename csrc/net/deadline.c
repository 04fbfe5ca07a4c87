#include "net/deadline.h"

#include "net/curl_failure.h"
#include "net/exchange_internal.h"
#include "net/handle.h"
#include "net/number.h"

/* Looks at the upload per stallTimeout: a stall may be noticed late by one part of so many. */
enum { LOOKS = 16 };

static bool is_uploading (const struct exchange *x) {
  return x->run->sends_body && x->run->sent < exchange_to_send(x);
}

double deadline_next (const struct exchange *x) {
  double next = x->run->active + x->run->stall;
  if (x->run->stall <= 0) return x->run->deadline;
  if (is_uploading(x)) {
    double look = clock_now() + x->run->stall / LOOKS;
    if (look < next) next = look;
  }
  return x->run->deadline > 0 && x->run->deadline < next ? x->run->deadline : next;
}

/*
** exchange.c and handle.c note received bytes and the sent header as they happen; libcurl must be asked for
** the sent body.
*/
static void look_at_upload (struct exchange *x, double now) {
  curl_off_t sent = 0;
  if (x->run->reached) curl_easy_getinfo(x->run->handle->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (!x->run->reached || sent != x->run->sent) x->run->active = now;
  x->run->sent = sent;
}

static bool is_stalled (struct exchange *x, double now) {
  if (x->run->stall <= 0) return false;
  if (x->run->owed || x->run->starved) x->run->active = now; /* the owner takes its time */
  if (!x->run->reached || is_uploading(x)) look_at_upload(x, now);
  return now >= x->run->active + x->run->stall;
}

bool deadline_passed (struct exchange *x, double now) {
  char text[NUMBER_SIZE];
  size_t length = x->run->flows ? x->run->flowed : x->response.body.length;
  if (x->run->deadline > 0 && now >= x->run->deadline) {
    curl_failure_note(x, FAILURE_TIMEOUT, NULL,
                      "not done after %s seconds, with %zu bytes of the response's body",
                      number_round(text, x->run->deadline - x->started, 3), length);
    return true;
  }
  if (!is_stalled(x, now)) return false;
  curl_failure_note(x, FAILURE_STALL, NULL,
                    "nothing moved for %s seconds, after %zu bytes of the response's body",
                    number_round(text, x->run->stall, 3), length);
  return true;
}
