/*
** server_words: the server's own message in the body of a response that refuses: OpenEdge's `_errors` and
** `_retVal`, DataSnap's `error`, the `message` or `detail` of other services, the title of a page. Made for
** people: one line, shortened, without anything that identified the request.
*/
#ifndef SESSION_SERVER_WORDS_H
#define SESSION_SERVER_WORDS_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

enum { SERVER_WORDS_SIZE = 240 };

/* False: the response has no message, or the message may contain a secret. Raises when out of memory. */
bool server_words_read (lua_State *L, const struct exchange *x, char to[SERVER_WORDS_SIZE]);

/* Makes one line of `text`: shortens it, joins white space, replaces control characters and invalid UTF-8. */
void server_words_tidy (const char *text, size_t length, char to[SERVER_WORDS_SIZE]);

/* Makes a phrase of the response's Retry-After: "in 30 s". False: it has none. */
bool server_words_retry (const struct exchange *x, char *to, size_t size);

#pragma GCC visibility pop

#endif
