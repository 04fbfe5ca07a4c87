/*
** identity: who somebody is to a server: by which model, where that is proved, and what the server gave for it
** (cookies, tokens) or is shown each time (credentials). A session that logs in makes one of its own; an
** AuthenticationProvider is one that several sessions may share. Counted.
*/
#ifndef SESSION_IDENTITY_H
#define SESSION_IDENTITY_H

#include "runtime/loop.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum model { MODEL_ANONYMOUS, MODEL_BASIC, MODEL_FORM, MODEL_SSO, MODEL_FORM_SSO, MODEL_BEARER, MODELS };

/* A token and what refreshes it: made with the first. */
struct tokens {
  char *access, *refresh;           /* owned, wiped: bearer's or oecp's; NULL: none */
  size_t access_size, refresh_size; /* of the blocks, NUL included */
  double refresh_at; /* of clock_now: when three quarters of the token's life are over; 0: not known */
  struct operation *refreshing; /* borrowed; the refresh in flight, or NULL */
};

struct identity {
  struct loop *loop;           /* borrowed; the registry keeps it */
  struct uri *uri;             /* owned reference: the web application that the credentials are proved to */
  struct transport *transport; /* owned reference: how that is reached */
  struct cookie_jar *jar;      /* owned reference; NULL until something is sent */
  struct basic_auth *credentials; /* owned reference: basic */
  struct tokens *tokens;          /* owned; NULL: it never had one */
  unsigned references;
  unsigned generation : 26; /* counted up with each change of token: header lines are made anew */
  enum model model : 3;
  bool logged_in : 1;
  bool automatic : 1;      /* automaticTokenRefresh */
  bool refresh_failed : 1; /* the last refresh, for a passing reason: another may do */
};

#ifndef _WIN32 /* where bit-fields of different types are not packed */
_Static_assert(sizeof(struct identity) <= 56, "docs/internals.md, What a session takes");
#endif

/* One reference, its own references to uri and transport added. NULL: no memory. */
struct identity *identity_new (struct loop *loop, enum model model, struct uri *uri,
                               struct transport *transport);
struct identity *identity_keep (struct identity *who);
void identity_release (struct identity *who); /* accepts NULL */

/* The cookie jar, made when there is none; borrowed. NULL: no memory. */
struct cookie_jar *identity_jar (struct identity *who);

/* Forgets cookies, credentials and tokens. */
void identity_reset (struct identity *who);

/* Its tokens; all NULL and 0 where there never was one. */
const struct tokens *identity_tokens (const struct identity *who);

/* Copies; false: no memory. A length of 0 means none. */
bool identity_set_token (struct identity *who, const char *token, size_t length);
bool identity_set_refresh_token (struct identity *who, const char *token, size_t length);
bool identity_set_credentials (struct identity *who, const char *user, size_t user_length,
                               const char *password, size_t password_length);

/* When its token, if it has one, is to be refreshed, by clock_now; 0: when a server asks for it. */
void identity_ripen (struct identity *who, double at);

/* Adds the Authorization line of a token model; nothing for the others. False: no memory. */
bool identity_sign (const struct identity *who, struct header_list *lines);

bool identity_can_refresh (const struct identity *who);
bool identity_refresh_due (const struct identity *who, double now);

/* The service's own name; NULL for a model that is none of a session's (or, `provider`, of a provider's). */
const char *model_name (enum model model);

/* False: no such model. A name in lower case. */
bool model_of (const char *name, enum model *model);

#pragma GCC visibility pop

#endif
