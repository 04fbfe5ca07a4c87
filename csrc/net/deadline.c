#include "net/deadline.h"

#include "net/curl_failure.h"
#include "net/handle.h"
#include "net/number.h"

/* Looks at the upload per stallTimeout: a stall may be noticed late by one part of so many. */
enum { LOOKS = 16 };

static bool is_uploading (const struct exchange *x) {
  return x->sends_body && (size_t)x->sent < x->request.body.length;
}

double deadline_next (const struct exchange *x) {
  double next = x->active + x->stall;
  if (x->stall <= 0) return x->deadline;
  if (is_uploading(x)) {
    double look = clock_now() + x->stall / LOOKS;
    if (look < next) next = look;
  }
  return x->deadline > 0 && x->deadline < next ? x->deadline : next;
}

/*
** exchange.c and handle.c note received bytes and the sent header as they happen; libcurl must be asked for
** the sent body.
*/
static void look_at_upload (struct exchange *x, double now) {
  curl_off_t sent = 0;
  if (x->reached) curl_easy_getinfo(x->handle->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (!x->reached || sent != x->sent) x->active = now;
  x->sent = sent;
}

static bool is_stalled (struct exchange *x, double now) {
  if (x->stall <= 0) return false;
  if (!x->reached || is_uploading(x)) look_at_upload(x, now);
  return now >= x->active + x->stall;
}

bool deadline_passed (struct exchange *x, double now) {
  char text[NUMBER_SIZE];
  size_t length = x->response.body.length;
  if (x->deadline > 0 && now >= x->deadline) {
    curl_failure_note(x, FAILURE_TIMEOUT, NULL,
                      "not done after %s seconds, with %zu bytes of the response's body",
                      number_round(text, x->deadline - x->started, 3), length);
    return true;
  }
  if (!is_stalled(x, now)) return false;
  curl_failure_note(x, FAILURE_STALL, NULL,
                    "nothing moved for %s seconds, after %zu bytes of the response's body",
                    number_round(text, x->stall, 3), length);
  return true;
}
