/*
** proiv: what the files of the PROIV protocol share: the state of its sessions. protocol.c has the verbs,
** options.c the options; wording.c writes requests and reads responses.
*/
#ifndef PROTOCOL_PROIV_PROIV_H
#define PROTOCOL_PROIV_PROIV_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_proiv;

enum proiv_state {
  PROIV_NEW,      /* never connected */
  PROIV_STARTING, /* connecting; after a connect that failed: failed */
  PROIV_RUNNING,
  PROIV_ENDED, /* by the user, or because its program ended */
  PROIV_LOST
};

/* `data` of a PROIV session. Its user value SESSION_DATA is a table of { transport, data, node }. */
struct proiv {
  struct uri *address; /* owned reference: the connection servlet */
  struct credentials
      *secret;            /* owned, wiped: the password of connectionData, until the session runs; or NULL */
  char *key;              /* owned, wiped: the server's SESSION_KEY; NULL: the session's own is sent */
  size_t key_size;        /* of the block, NUL included */
  double poll_interval;   /* seconds before the first POLL after a STOP */
  double end_limit;       /* seconds for the END */
  double wait;            /* seconds before the next POLL of the pending stop */
  enum proiv_state state; /* the statuses stopping and failed follow from the session's own state */
  bool is_explicit;       /* `data` holds connectionData, not a service's name */
  bool explicit_by_get;
  bool wiped;    /* the password of connectionData has been wiped */
  bool finished; /* the server said that the program has ended */
};

/* The state of the session as a response, or a function of the transport, reports it. */
enum proiv_answer {
  PROIV_SAYS_RUNNING,
  PROIV_SAYS_STOPPING,
  PROIV_SAYS_REFUSED,
  PROIV_SAYS_ENDED,
  PROIV_SAYS_LOST,
  PROIV_SAYS_LATER,  /* the server cannot tell now: ask again */
  PROIV_SAYS_NOTHING /* the response cannot be understood */
};

extern const char *const proiv_options[];
void proiv_configure (lua_State *L, struct session *s);
void proiv_release (struct session *s);
void proiv_forget_secret (struct session *s);
void proiv_forget_key (struct session *s);

/* Pushes that field of SESSION_DATA, or nil. */
int proiv_push (lua_State *L, const struct session *s, const char *field);

/*
** Describe the connect, the password of `as` preferred to that of connectionData; and POLL, STOP or END.
** NULL: out of memory.
*/
struct exchange *proiv_connect (lua_State *L, struct session *s, const struct credentials *as);
struct exchange *proiv_act (lua_State *L, struct session *s, const char *action);

/*
** proiv_take_key keeps the sessionKey of the response to a connect, if it has one of PROIV_MOST_KEY bytes at
** most. False: out of memory.
*/
enum { PROIV_MOST_KEY = 65536 };
bool proiv_is_key_too_long (lua_State *L, const struct exchange *x);
bool proiv_take_key (lua_State *L, struct session *s, const struct exchange *x);
bool proiv_set_key (struct session *s, const char *key, size_t length);

/* Reads a response: by the transport's function classify, or by this library's convention. */
enum proiv_answer proiv_classify (lua_State *L, struct session *s, const struct exchange *x);

/* False: unknown word. */
bool proiv_answer_of (const char *word, enum proiv_answer *answer);

#pragma GCC visibility pop

#endif
