#include "net/retry_after.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LONGEST = 47 }; /* bytes of a date, and more than those of any number of seconds that makes sense */

/* Copies the header's value. False: there is none, or it is too long. */
static bool copy_value (const struct exchange *x, const char *name, char to[LONGEST + 1]) {
  struct header_line line;
  if (!exchange_find_header(x, name, &line) || !line.value_length || line.value_length > LONGEST)
    return false;
  memcpy(to, line.value, line.value_length);
  to[line.value_length] = 0;
  return true;
}

static time_t now_of (const struct exchange *x) {
  char text[LONGEST + 1];
  time_t now = copy_value(x, "Date", text) ? curl_getdate(text, NULL) : -1;
  return now >= 0 ? now : time(NULL);
}

double retry_after (const struct exchange *x) {
  char text[LONGEST + 1];
  time_t date;
  if (x->response.failure != FAILURE_NONE || !copy_value(x, "Retry-After", text)) return -1;
  if (strspn(text, "0123456789") == strlen(text)) return strtod(text, NULL);
  date = curl_getdate(text, NULL);
  return date >= 0 ? difftime(date, now_of(x)) : -1;
}
