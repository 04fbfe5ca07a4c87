/*
** session: one session with one server application: a full userdata. Owns what its requests are made with
** (URI, transport, cookies, credentials, header lines) and its timer; its Lua values hang from it as user values.
** session_transition alone changes its state and queues its events.
*/
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "session/verdict.h"
#include "session/identity.h"

#pragma GCC visibility push(hidden)

#define SESSION_TYPE "datasession.session"

struct protocol;
struct autoping;
struct login;
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
  struct login *kept;              /* owned, wiped: keepCredentials; NULL: nothing is kept */
  struct header_list *headers;     /* owned reference: what every request carries; NULL: to be made anew */
  struct uri *ping_uri;            /* owned reference: the address that answered; NULL: not known */
  struct reconnect *reconnect;           /* owned; NULL: it is never re-established by itself */
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
  short login_status;  /* loginHttpStatus; valid when login_result is not RESULT_NONE; < 0: there was none */
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
  bool reconnecting : 1;        /* it is being re-established */
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

/*
** An exchange of this session to `uri`, whose reference is taken. Within the session's own origin it carries
** the session's cookies, credentials and header lines; elsewhere none of what tells who it is. NULL when memory is short or `uri` is NULL. Raises nothing.
*/
struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri);

/* The same, whose answer should be short. */
struct exchange *session_exchange_brief (lua_State *L, struct session *s, const char *method,
                                         struct uri *uri);

/* `uri`, whose reference is taken, with a _ts parameter if the session is to send one. NULL: no memory, or `uri` was. opening.c */
struct uri *session_stamp (struct session *s, struct uri *uri);

/* Puts the present token of `who` into the header lines of `x`, unless they have it. False: no memory, or nobody. */
bool session_sign_again (const struct identity *who, struct exchange *x);

/* An exchange to `uri`, whose reference is taken, that shows `who` and nothing of the session. NULL: no memory. */
struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri);

/* Changes the state as `verdict` says, which is not from an answer; the session is at `index`. `reason`: static, or NULL. */
void session_decide (lua_State *L, int index, enum verdict verdict, const char *reason);

/* The same, for where nothing may be raised: an error is reported. */
void session_decide_safely (lua_State *L, const struct session *s, enum verdict verdict);

/* Its deadline is over: it has expired, before anything is sent for it. The session is at `index`. */
void session_lapse (lua_State *L, int index);

/* Raises unless what login got at 2 and 3 will do for the model. */
void session_check_credentials (lua_State *L, enum model model);

/* Copies into `who` what its model shows with each request. False: no memory. */
bool session_hold_credentials (struct identity *who, const struct login *as);

/* Whom a former login was is nothing to the new one: an identity of its own. The session is at `index`. False: no memory. */
bool session_become (lua_State *L, int index, const struct login *as);

/* Its login is over for good: cookies, credentials and tokens are forgotten, also what was kept. */
void session_forget_kept (struct session *s);

/* Reads the option authenticationModel; `expected` lists those that will do, quoted. */
enum model session_model_option (lua_State *L, int index, const char *expected);

/* Leaves the option `name`, a URI, as the user shall see it, without trailing slashes, on the stack. A new reference. */
struct uri *session_uri_option (lua_State *L, struct loop *loop, int index, const char *name);

/* The header's name when its value is not the user's to choose, since it follows from the body; else NULL. requesting.c */
const char *session_framing (const char *name);

/*
** `uri`, whose reference is taken, with the client context id as path parameter JSESSIONID if the server knows the session by
** nothing else. NULL: no memory, or `uri` was. opening.c
*/
struct uri *session_address (lua_State *L, struct session *s, struct uri *uri);

/* Calls onOpenRequest, which may change the header lines of `x`; what it raises is reported. opening.c */
void session_open_request (lua_State *L, struct session *s, struct exchange *x);

/*
** While it is made: a session that goes on with a login that was proved before. It counts as connected once a server has
** answered. `status`: loginHttpStatus; < 0: none.
*/
void session_begin_authorized (struct session *s, long status);

/*
** Tells the server that the session at `index`, which it has admitted, ends. Nobody waits for the answer. Raises. session.c
*/
void session_farewell (lua_State *L, int index);

/* The login in flight has ended. One that failed leaves no cookies, no credentials and no session on the server. Raises nothing. */
void session_login_over (lua_State *L, struct session *s);

/* The stop or slow logout `op` of the session has ended. Raises nothing. */
void session_leaving_over (lua_State *L, struct session *s, const struct operation *op);

/* Whether there is memory for pingInterval's timer: asked before a change of state, which is then made as a whole. autoping.c */
bool session_can_arm (const struct session *s);

/* Sets pingInterval's timer, or clears it, as the state asks. False: no memory, it is not set. */
bool session_arm (struct session *s);

/* The promise of a ping of the session at `index`, pushed. */
struct operation *session_start_ping (lua_State *L, int index, struct session *s);

/* A call of the user's on it: it is the active session from now on. active.c */
void session_touch (struct session *s);

/* It has ended: the active session is the live one that was used last. No harm when it was not used. active.c */
void session_untouch (struct session *s);

/* Refuses `op` when its session was invalidated, or is being closed. */
bool session_refuses (lua_State *L, struct operation *op);

/* Verbs: each expects its session at index 1, and pushes the promise. */
int session_login (lua_State *L);
int session_logout (lua_State *L);
int session_invalidate (lua_State *L);
int session_ping (lua_State *L);
int session_is_authorized (lua_State *L);
int session_disconnect (lua_State *L);
int session_end (lua_State *L);            /* invalidates, and waits for nothing: returns no promise */
int session_request (lua_State *L);        /* requesting.c */
int session_request_within (lua_State *L); /* the same as part of another operation of the session's */
int session_invoke (lua_State *L);
int session_stop (lua_State *L); /* stop(timeout) */

/* Finaliser: frees everything without traffic. */
int session_gc (lua_State *L);

/* __close: invalidates, and steps the loop until that is settled, bounded by the session's timeout. */
int session_close (lua_State *L);

/* The constructor: new(options). making.c */
int session_new (lua_State *L);

/* True if no protocol of the library has that name. */
bool protocol_name_is_free (lua_State *L, const char *name);

/* `new` and `optionNames` in the table on top. */
void session_new_register (lua_State *L);

/* The properties and methods of the type; session_binding.c. */
void session_register (lua_State *L);

#pragma GCC visibility pop

#endif
