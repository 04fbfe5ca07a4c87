/*
** proiv: what a session with a PROIV connection servlet knows beside what every session does; protocol_proiv.c has its
** life, proiv_options.c makes it, proiv_wire.c words its exchanges and reads what comes back.
*/
#ifndef PROTOCOL_PROIV_PROIV_H
#define PROTOCOL_PROIV_PROIV_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_proiv;

enum proiv_state {
  PROIV_NEW,      /* never connected */
  PROIV_STARTING, /* connecting; once that is over and no session came of it: failed */
  PROIV_RUNNING,
  PROIV_ENDED, /* by the user's wish, or because its program came to its end */
  PROIV_LOST
};

/* session->wire. The session's user value SESSION_WIRE is a table of { transport, data, node }. */
struct proiv {
  struct uri *address; /* owned reference: the connection servlet */
  struct credentials
      *secret;          /* owned, wiped: the password of explicit details, until the session runs; or NULL */
  char *key;            /* owned, wiped: the SESSION_KEY that the server gave; NULL: the session's own */
  size_t key_size;      /* of the block, NUL included */
  double poll_interval; /* seconds before the first POLL after a STOP */
  double end_limit;     /* seconds for the END */
  double wait;          /* seconds before the next POLL of the stop under way */
  enum proiv_state state; /* `stopping` and `failed` follow from the session's */
  bool is_explicit;       /* `data` has the details of the connection, not a service's name */
  bool explicit_by_get;
  bool wiped;    /* the details had a password, which is no longer here */
  bool finished; /* the server said that its program has come to its end */
};

/* How an answer, or a function of the transport's, says that the session stands. */
enum proiv_answer {
  PROIV_SAYS_RUNNING,
  PROIV_SAYS_STOPPING,
  PROIV_SAYS_REFUSED,
  PROIV_SAYS_ENDED,
  PROIV_SAYS_LOST,
  PROIV_SAYS_LATER,  /* a passing trouble of the server's: ask again */
  PROIV_SAYS_NOTHING /* what came makes no sense */
};

extern const char *const proiv_options[];
void proiv_configure (lua_State *L, struct session *s);
void proiv_release (struct session *s);
void proiv_forget_secret (struct session *s);
void proiv_forget_key (struct session *s);

/* Pushes the field of SESSION_WIRE, or nil. */
int proiv_push (lua_State *L, const struct session *s, const char *field);

/* The connect, the password of `as` before that of the details; or POLL, STOP or END. NULL: no memory. */
struct exchange *proiv_connect (lua_State *L, struct session *s, const struct credentials *as);
struct exchange *proiv_act (lua_State *L, struct session *s, const char *action);

/* Keeps the sessionKey in the answer to a connect, if there is one; one of more than PROIV_MOST_KEY bytes is not for that. False: no memory. */
enum { PROIV_MOST_KEY = 65536 };
bool proiv_is_key_too_long (lua_State *L, const struct exchange *x);
bool proiv_take_key (lua_State *L, struct session *s, const struct exchange *x);
bool proiv_set_key (struct session *s, const char *key, size_t length);

/* Reads a response: by the transport's classify, or as we have agreed with ourselves. */
enum proiv_answer proiv_classify (lua_State *L, struct session *s, const struct exchange *x);

/* False: there is no such word. */
bool proiv_answer_of (const char *word, enum proiv_answer *answer);

#pragma GCC visibility pop

#endif
