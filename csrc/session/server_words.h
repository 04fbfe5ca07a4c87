/*
** server_words: what a server says in the body of an answer that refuses: the texts of OpenEdge's `_errors`
** and `_retVal`, the text `error` of DataSnap, what other services call `message` or `detail`, the title of a
** page. For people: one line, shortened, and nothing that the request proved itself with.
*/
#ifndef SESSION_SERVER_WORDS_H
#define SESSION_SERVER_WORDS_H

#include "net/exchange.h"
#include "runtime/compat.h"

#pragma GCC visibility push(hidden)

enum { SERVER_WORDS_SIZE = 240 };

/* False: the answer says nothing, or what it says may hold a secret. Raises when memory is short. */
bool server_words_read (lua_State *L, const struct exchange *x, char to[SERVER_WORDS_SIZE]);

/* One line of `text`: shortened, control characters and what is no UTF-8 replaced, blanks joined. */
void server_words_tidy (const char *text, size_t length, char to[SERVER_WORDS_SIZE]);

/* When the answer asks to be tried again, as a phrase: "in 30 s". False: it does not say. */
bool server_words_retry (const struct exchange *x, char *to, size_t size);

#pragma GCC visibility pop

#endif
