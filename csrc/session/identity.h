/*
** identity: what a client proves itself to a server with: the authentication model, the server that checks
** it, and cookies, tokens or credentials. Each login of a session makes an identity; several sessions may
** share the identity of one AuthenticationProvider. Counted.
*/
#ifndef SESSION_IDENTITY_H
#define SESSION_IDENTITY_H

#include "runtime/loop.h"

#include <stdbool.h>

#pragma GCC visibility push(hidden)

enum model { MODEL_ANONYMOUS, MODEL_BASIC, MODEL_FORM, MODEL_SSO, MODEL_FORM_SSO, MODEL_BEARER, MODELS };

/* Why a session's tokenProvider gave no token. */
struct token_failure {
  bool passing; /* it may give one later */
  char words[300], hint[200];
};

/* A token and its refresh token. Made with the first token. */
struct tokens {
  char *access, *refresh;           /* owned, wiped; NULL: none. Only bearer and form_sso have them */
  size_t access_size, refresh_size; /* of the blocks, NUL included */
  double refresh_at;            /* of clock_now: after three quarters of the token's lifetime; 0: unknown */
  struct operation *refreshing; /* borrowed; the pending refresh, or NULL */
  const lua_State *asking;      /* the coroutine in which tokenProvider runs; only compared; or NULL */
  struct token_failure *failed; /* owned; the last call of tokenProvider gave no token; or NULL */
};

struct identity {
  struct loop *loop;              /* borrowed; the registry keeps it */
  struct uri *uri;                /* owned reference: the web application that checks the credentials */
  struct transport *transport;    /* owned reference: how to reach it */
  struct cookie_jar *jar;         /* owned reference; NULL until something is sent */
  struct basic_auth *credentials; /* owned reference: basic */
  struct tokens *tokens;          /* owned; NULL: it never had one */
  unsigned references;
  unsigned generation : 26; /* counted up when the token changes: header lines must be made again */
  enum model model : 3;
  bool logged_in : 1;
  bool automatic : 1;      /* automaticTokenRefresh */
  bool refresh_failed : 1; /* the last refresh failed for a temporary reason: another may succeed */
};

#ifndef _WIN32 /* where bit-fields of different types are not packed */
_Static_assert(sizeof(struct identity) <= 56, "docs/internals.md, What a session takes");
#endif

/* Returns the first reference; adds its own references to uri and transport. NULL: out of memory. */
struct identity *identity_new (struct loop *loop, enum model model, struct uri *uri,
                               struct transport *transport);
struct identity *identity_keep (struct identity *who);
void identity_release (struct identity *who); /* accepts NULL */

/* The cookie jar, which the first call makes; borrowed. NULL: out of memory. */
struct cookie_jar *identity_jar (struct identity *who);

/* Forgets cookies, credentials and tokens. */
void identity_reset (struct identity *who);

/* The tokens. All fields are NULL and 0 if it never had one. */
const struct tokens *identity_tokens (const struct identity *who);

/* Makes the tokens, if there are none. False: out of memory. */
bool identity_need_tokens (struct identity *who);

/* Forgets why tokenProvider gave no token. */
void identity_forget_failure (const struct identity *who);

/*
** Copies the text, and forgets an earlier token wherever it was kept for the next request. A length of 0
** removes the token. False: out of memory.
*/
bool identity_set_token (struct identity *who, const char *token, size_t length);
bool identity_set_refresh_token (struct identity *who, const char *token, size_t length);
bool identity_set_credentials (struct identity *who, const char *user, size_t user_length,
                               const char *password, size_t password_length);

/* Sets the time, of clock_now, to refresh the token if there is one; 0: refresh when a server rejects it. */
void identity_ripen (struct identity *who, double at);

/* Adds the Authorization line if the model uses tokens. False: out of memory. */
bool identity_sign (const struct identity *who, struct header_list *lines);

bool identity_can_refresh (const struct identity *who);
bool identity_refresh_due (const struct identity *who, double now);

/* The public name of the model. Static. */
const char *model_name (enum model model);

/* `name` is in lower case. False: there is no such model. */
bool model_of (const char *name, enum model *model);

#pragma GCC visibility pop

#endif
