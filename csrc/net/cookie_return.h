/*
** cookie_return: tells whether the cookies that a response sets will be sent to the application. Owns
** nothing.
*/
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

/*
** COOKIE_RETURNS: at least one cookie of the response is sent to `target`; COOKIE_NONE: the response sets
** none; else why the last one is not sent.
*/
enum cookie_obstacle cookie_obstacle (const struct exchange *x, const struct uri *target);

/*
** A phrase that follows "its cookie is not sent back: ", and what a person can do. Static; NULL for
** COOKIE_NONE and COOKIE_RETURNS.
*/
const char *cookie_obstacle_phrase (enum cookie_obstacle obstacle);
const char *cookie_obstacle_hint (enum cookie_obstacle obstacle);

#pragma GCC visibility pop

#endif
