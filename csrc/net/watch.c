#include "watch.h"

#include "failure.h"
#include "handle.h"
#include "number.h"

double watch_next (const struct exchange *x) {
  double stalled = x->active + x->stall;
  if (x->stall <= 0) return x->deadline;
  return x->deadline > 0 && x->deadline < stalled ? x->deadline : stalled;
}

/* Bytes that came were noted as they came; bytes that go out have to be asked for. */
static void look_at_upload (struct exchange *x, double now) {
  curl_off_t body = 0;
  long head = 0;
  if (x->reached) {
    curl_easy_getinfo(x->handle->easy, CURLINFO_SIZE_UPLOAD_T, &body);
    curl_easy_getinfo(x->handle->easy, CURLINFO_REQUEST_SIZE, &head);
  }
  if (!x->reached || body + head != x->sent) x->active = now;
  x->sent = body + head;
}

static bool is_stalled (struct exchange *x, double now) {
  if (x->stall <= 0 || now < x->active + x->stall) return false;
  look_at_upload(x, now);
  return now >= x->active + x->stall;
}

bool watch_passed (struct exchange *x, double now) {
  char text[NUMBER_SIZE];
  size_t length = x->response.body.length;
  if (x->deadline > 0 && now >= x->deadline) {
    failure_note(x, FAILURE_TIMEOUT, NULL, "not done after %s seconds, with %zu bytes of the response's body",
                 number_round(text, x->deadline - x->started, 3), length);
    return true;
  }
  if (!is_stalled(x, now)) return false;
  failure_note(x, FAILURE_STALL, NULL, "nothing moved for %s seconds, after %zu bytes of the response's body",
               number_round(text, x->stall, 3), length);
  return true;
}
