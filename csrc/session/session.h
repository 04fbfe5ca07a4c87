/*
** session: one session with one server application: a full userdata. Owns what its requests are made with
** (URI, transport, cookies, credentials, header lines) and its timer; its Lua values hang from it as user values.
** session_transition alone changes its state and queues its events.
*/
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "session/identity.h"
#include "session/verdict.h"

#pragma GCC visibility push(hidden)

#define SESSION_TYPE "datasession.session"

struct protocol;
struct autoping;
struct credentials;
struct reconnect;

enum phase {
  PHASE_FRESH,      /* never logged in, logged out, or refused */
  PHASE_AUTHORIZED, /* the server accepted us, and has said nothing else since */
  PHASE_EXPIRED,    /* it accepted us once and does no more */
  PHASE_INVALID     /* for good */
};

/* By size, since there may be ten thousands of them: what few sessions have is behind a pointer. */
struct session {
  struct loop *loop;               /* borrowed; the registry keeps it */
  const struct protocol *protocol; /* static */
  void *wire;                      /* the protocol's: made by its configure, freed by its release; or NULL */
  struct uri *service;             /* owned reference: the root of the web application */
  struct transport *transport;     /* owned reference */
  struct identity *who;            /* owned reference; NULL until something is sent, and after logout */
  struct credentials *kept;        /* owned, wiped: keepCredentials; NULL: nothing is kept */
  struct header_list *headers;     /* owned reference: what every request carries; NULL: to be made anew */
  struct uri *ping_uri;            /* owned reference: the address that answered; NULL: not known */
  struct reconnect *reconnect;     /* owned; NULL: it is never re-established by itself */
  struct autoping *autoping;       /* owned; NULL: it never had a pingInterval */
  struct operation *login;         /* borrowed; the login in flight, or NULL */
  struct operation *leaving;       /* borrowed; the stop or slow logout in flight, or NULL */
  struct operation *operations;    /* borrowed; those in flight, the newest first, linked by `older` */
  struct session *newer, *older;   /* borrowed; its neighbours among those with `used`, by that; active.c */
  const char *status; /* static: the service's own word for its state, as last told; NULL: it has none */
  double expires, expires_at; /* of clock_now, and of the epoch: its deadline; 0: none is known */
  lua_Integer number;         /* of all sessions of the state, from 1 */
  unsigned long long
      used;            /* rank of the last call on it among those on all sessions; 0: none since it ended */
  unsigned signed_for; /* the generation of `who` that the header lines were made for */
  unsigned epoch;  /* counted up by login, logout and loss: answers to what was sent before change nothing */
  unsigned logins; /* counted up by login and logout alone: whose calls are still its own */
  short login_status; /* loginHttpStatus; valid when login_result is not RESULT_NONE; < 0: there was none */
  enum result login_result : 8;
  enum model model : 4;
  enum phase phase : 4;
  unsigned
      failures : 2;    /* of pings in a row, AUTOPING_FAILURES at most: automatic ones come less often then */
  bool time_stamp : 1; /* each request carries a _ts parameter */
  bool has_on_open : 1;      /* SESSION_ON_OPEN is a function */
  bool has_context_id : 1;   /* SESSION_CONTEXT_ID is not nil */
  bool device_offline : 1;   /* the host says so */
  bool online : 1;           /* the web application, when last heard of */
  bool keep_credentials : 1; /* `kept` is filled by login */
  bool established : 1;      /* the server has accepted us since the last login began */
  bool reconnecting : 1;     /* it is being re-established */
  bool closing : 1;          /* the server has been asked to end it, and has not answered yet */
  bool named : 1;            /* SESSION_NAME is: the session survives in a store */
  bool keep_tokens : 1;      /* there, its tokens too */
  bool restored : 1;         /* it came from there, and no server has confirmed it yet */
  bool unasked : 1;          /* it began authorized, and no server has told how it is */
  bool admitted : 1;         /* the server took credentials: it may keep a session until it is told */
  bool closed : 1;           /* finalised */
};

#ifndef _WIN32 /* where bit-fields of different types are not packed */
_Static_assert(sizeof(struct session) <= 192, "docs/internals.md, What a session takes");
#endif

/* The Lua values of a session. Those that most sessions have are user values, the others in a table made for the first of them. */
enum session_value {
  SESSION_URI = 1,    /* serviceURI as the user sees it */
  SESSION_USER,       /* userName */
  SESSION_CONTEXT_ID, /* clientContextId */
  SESSION_OTHERS,     /* session_values.c's: the table of the following */
  SESSION_HANDLERS,   /* event -> array of subscriptions */
  SESSION_CATALOGS,   /* the Lua layer's: { catalogs, catalogURIs, services } */
  SESSION_CONTEXT,    /* context.c's: the properties, and their text */
  SESSION_ON_OPEN,    /* onOpenRequest: a function or nil */
  SESSION_PROVIDER, /* authProvider: the AuthenticationProvider of `who`, once somebody asked for it, or it was given */
  SESSION_PROVIDER_USER, /* whom getSession logged the provider in as, or nil */
  SESSION_NAME,          /* name, or nil; persistence.c */
  SESSION_STORAGE,       /* where a session that has one is kept */
  SESSION_SAVER,         /* who keeps it there */
  SESSION_KEY,           /* key, once somebody asked for it */
  SESSION_WIRE,          /* the protocol's */
  SESSION_SLOTS = SESSION_OTHERS
};

/* Pushes a value of the session at `index`, nil where there is none; its type. Raises nothing. */
int session_getvalue (lua_State *L, int index, enum session_value which);

/* Pops the value on top into the session at `index`. Raises for want of memory, where it is one of the others and not nil. */
void session_setvalue (lua_State *L, int index, enum session_value which);

/* NULL when it is no session. */
struct session *session_test (lua_State *L, int index);
struct session *session_check (lua_State *L, int index);

/* Pushes the userdata of `s`, or nil when it is being finalised. */
void session_push (lua_State *L, const struct session *s);

/* True if its deadline is over. An idle session has no timer for that. */
bool session_is_past (const struct session *s);

bool session_connected (const struct session *s);

/* Pushes what the option protocol calls its protocol. */
void session_push_protocol_name (lua_State *L, const struct session *s);

/*
** Changes the state by what an answer says, or what the session itself decides, and queues the event that follows. The session is at
** `index`. The one place where state changes.
*/
void session_transition (lua_State *L, int index, const struct finding *found);

/* The session at `index` may have changed: its store is told, if it has one. Raises as loop_ready. */
void session_note (lua_State *L, int index);

/* The same for each session that `who` serves. */
void session_note_identity (lua_State *L, const struct identity *who);

/* Changes the state as `verdict` says, which is not from an answer; the session is at `index`. `reason`: static, or NULL. */
void session_decide (lua_State *L, int index, enum verdict verdict, const char *reason);

/* The same, for where nothing may be raised: an error is reported. */
void session_decide_safely (lua_State *L, const struct session *s, enum verdict verdict);

/* Its deadline is over: it has expired, before anything is sent for it. The session is at `index`. */
void session_lapse (lua_State *L, int index);

/* Its login is over for good: cookies, credentials and tokens are forgotten, also what was kept. */
void session_forget_kept (struct session *s);

/*
** While it is made: a session that goes on with a login that was proved before. It counts as connected once a server has
** answered. `status`: loginHttpStatus; < 0: none.
*/
void session_begin_authorized (struct session *s, long status);

/*
** Tells the server that the session at `index`, which it has admitted, ends. Nobody waits for the answer. Raises. session.c
*/
void session_farewell (lua_State *L, int index);

/* It has ended: the active session is the live one that was used last. No harm when it was not used. active.c */
void session_untouch (struct session *s);

/* A provider may serve others: it stays as it is. The session, at `index`, has no identity any more. */
void session_forget_identity (lua_State *L, int index, struct session *s);

#pragma GCC visibility pop

#endif
