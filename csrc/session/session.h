/*
** session: one session with one web application, a full userdata. Owns what its requests need (URI,
** transport, cookies, credentials, header lines) and its timer. Its Lua values are user values of the
** userdata. Only session_transition changes its state and queues its events.
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
struct retry_policy;

enum phase {
  PHASE_FRESH,      /* not logged in: never was, logged out, or the login was refused */
  PHASE_AUTHORIZED, /* logged in */
  PHASE_EXPIRED,    /* was logged in; the server no longer accepts the session */
  PHASE_INVALID     /* invalidated: cannot be used again */
};

/*
** Kept small: a program may have ten thousand of them. Members that few sessions need are behind a pointer.
*/
struct session {
  struct loop *loop;               /* borrowed; the registry keeps it */
  const struct protocol *protocol; /* static */
  void *data;          /* the protocol's data: its configure makes it, its release frees it; or NULL */
  struct uri *service; /* owned reference: the root of the web application */
  struct transport *transport;   /* owned reference */
  struct identity *who;          /* owned reference; NULL until the first request, and after logout */
  struct credentials *kept;      /* owned, wiped: keepCredentials; NULL: none are kept */
  struct header_list *headers;   /* owned reference: the lines of every request; NULL: to be made again */
  struct reconnect *reconnect;   /* owned; NULL: the session never reconnects by itself */
  struct retry_policy *retry;    /* owned; NULL: calls are not sent again */
  struct autoping *autoping;     /* owned; NULL: it never had a pingInterval */
  struct operation *login;       /* borrowed; the pending login, or NULL */
  struct operation *leaving;     /* borrowed; the pending stop or slow logout, or NULL */
  struct operation *operations;  /* borrowed; the pending ones, the newest first, linked by `older` */
  struct session *newer, *older; /* borrowed; its neighbours by `used`, among those that have it */
  const char *status;            /* static: the service's last name for its state; NULL: it has none */
  double expires, expires_at;    /* its deadline, of clock_now and since 1970; 0: unknown */
  lua_Integer number;            /* of all sessions of the Lua state, from 1 */
  unsigned long long
      used;            /* the rank of its last call among the calls on all sessions; 0: none since it ended */
  unsigned signed_for; /* the generation of `who` for which the header lines were made */
  unsigned epoch;      /* counts logins, logouts and losses: responses to earlier requests change nothing */
  unsigned logins;     /* counts logins and logouts: calls of an earlier login are not repeated */
  short login_status;  /* loginHttpStatus, unless login_result is RESULT_NONE; < 0: there was no response */
  enum result login_result : 8;
  enum model model : 4;
  enum phase phase : 4;
  unsigned failures : 2;     /* failed pings in a row, at most AUTOPING_FAILURES: automatic ones slow down */
  bool has_on_open : 1;      /* SESSION_ON_OPEN is a function */
  bool has_observer : 1;     /* SESSION_ON_REQUEST or SESSION_ON_RESPONSE is a function */
  bool has_defaults : 1;     /* SESSION_DEFAULTS is a table */
  bool asks_tokens : 1;      /* SESSION_TOKEN_CALL is a function */
  bool has_own_line : 1;     /* `headers` have the protocol's own_line */
  bool device_offline : 1;   /* the host reported that there is no network */
  bool online : 1;           /* the web application answered last time */
  bool keep_credentials : 1; /* login fills `kept` */
  bool established : 1;      /* the server has accepted the session since the last login began */
  bool reconnecting : 1;     /* a reconnect is running */
  bool closing : 1;          /* the server was asked to end the session, and has not answered yet */
  bool named : 1;            /* SESSION_NAME is set: a store keeps the session */
  bool keep_tokens : 1;      /* the store keeps its tokens, too */
  bool restored : 1;         /* restored from a store, and not confirmed by the server yet */
  bool unasked : 1;          /* began logged in, and the server has not confirmed it yet */
  bool admitted : 1;         /* the server took credentials: logout must tell it */
  bool closed : 1;           /* finalised */
};

#ifndef _WIN32 /* where bit-fields of different types are not packed */
_Static_assert(sizeof(struct session) <= 192, "docs/internals.md, What a session takes");
#endif

/* The Lua values of a session. The common ones are user values; the rare ones share a table. */
enum session_value {
  SESSION_URI = 1,       /* the property serviceURI */
  SESSION_USER,          /* userName */
  SESSION_CONTEXT_ID,    /* clientContextId */
  SESSION_OTHERS,        /* the table of the values below; session_values.c */
  SESSION_HANDLERS,      /* event -> list of subscriptions */
  SESSION_CATALOGS,      /* of the Lua layer: { catalogs, catalogURIs, services } */
  SESSION_CONTEXT,       /* the context properties and their text; protocol/jsdo/context.c */
  SESSION_ON_OPEN,       /* onOpenRequest: a function or nil */
  SESSION_PROVIDER,      /* authProvider: made on first access, or given */
  SESSION_PROVIDER_USER, /* the user name with which getSession logged in the provider, or nil */
  SESSION_NAME,          /* name, or nil; store/store.c */
  SESSION_STORAGE,       /* the store of a session with a name; before store.open: what newFrom was given */
  SESSION_SAVER,         /* its entry in the ready queue; store/store.c */
  SESSION_KEY,           /* key; made on first access */
  SESSION_DATA,          /* the protocol's value */
  SESSION_ON_REQUEST,    /* onRequest: a function or nil */
  SESSION_ON_RESPONSE,   /* onResponse: a function or nil */
  SESSION_DEFAULTS,      /* of requests: { headers, query }, the options of these names, or nil */
  SESSION_TOKEN_CALL,    /* tokenProvider: a function or nil; protocol/jsdo/token_provider.c */
  SESSION_TOKEN_TIMEOUT, /* tokenTimeout: a number or nil */
  SESSION_SLOTS = SESSION_OTHERS
};

/* Pushes a value of the session at `index`, or nil; returns its type. Raises nothing. */
int session_getvalue (lua_State *L, int index, enum session_value which);

/*
** Pops a value into the session at `index`. May run out of memory, and raise, for SESSION_OTHERS.
*/
void session_setvalue (lua_State *L, int index, enum session_value which);

/* The session at `index`. session_test: NULL if it is none; session_check raises. */
struct session *session_test (lua_State *L, int index);
struct session *session_check (lua_State *L, int index);

/* Pushes the userdata of `s`; nil: it is being finalised. */
void session_push (lua_State *L, const struct session *s);

/* True if its deadline has passed. An idle session has no timer that would notice. */
bool session_is_past (const struct session *s);

/* True if the property connected is. */
bool session_connected (const struct session *s);

/* Pushes the name of its protocol. */
void session_push_protocol_name (lua_State *L, const struct session *s);

/*
** Changes the state of the session at `index` by `found`, from a response or from the session itself, and
** queues the events that follow. Nothing else changes the state.
*/
void session_transition (lua_State *L, int index, const struct finding *found);

/* Saves the session at `index`, which may have changed, if it has a store. Raises as loop_ready. */
void session_note (lua_State *L, int index);

/* The same for each session that uses `who`. */
void session_note_identity (lua_State *L, const struct identity *who);

/* Changes the state of the session at `index` by a verdict of its own. `reason`: static, or NULL. */
void session_decide (lua_State *L, int index, enum verdict verdict, const char *reason);

/* The same, but raises nothing: reports errors. */
void session_decide_safely (lua_State *L, const struct session *s, enum verdict verdict);

/* Expires the session at `index` if its deadline has passed. Called before a request is sent. */
void session_lapse (lua_State *L, int index);

/* Wipes the credentials that keepCredentials kept. */
void session_forget_kept (struct session *s);

/*
** Makes a new session logged in, by a login of earlier. It counts as connected once the server has answered.
** `status`: loginHttpStatus; < 0: none.
*/
void session_begin_authorized (struct session *s, long status);

/* Ends the session at `index` on the server, which has admitted it, in the background. Raises. verbs.c */
void session_farewell (lua_State *L, int index);

/* Called when it has ended: the live session that was called last becomes the active one. active_session.c */
void session_untouch (struct session *s);

/* Drops the identity of the session at `index`. Other sessions may still use it. */
void session_forget_identity (lua_State *L, int index, struct session *s);

#pragma GCC visibility pop

#endif
