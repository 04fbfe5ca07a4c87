/* cookie_return: whether the cookies that an answer sets go to the application again. Owns nothing. */
#ifndef NET_COOKIE_RETURN_H
#define NET_COOKIE_RETURN_H

#include "net/exchange.h"

#pragma GCC visibility push(hidden)

enum cookie_obstacle {
  COOKIE_NONE,
  COOKIE_RETURNS,
  COOKIE_OTHER_PATH,
  COOKIE_NO_PATH,
  COOKIE_OTHER_DOMAIN,
  COOKIE_SECURE
};

/* Why the last cookie that the answer sets is not sent to `target`; COOKIE_RETURNS: one of them is; COOKIE_NONE: it sets none. */
enum cookie_obstacle cookie_obstacle (const struct exchange *x, const struct uri *target);

/* A phrase behind "its cookie is not sent back: ", and what a person can do. Static; NULL for what is none. */
const char *cookie_obstacle_phrase (enum cookie_obstacle obstacle);
const char *cookie_obstacle_hint (enum cookie_obstacle obstacle);

#pragma GCC visibility pop

#endif
