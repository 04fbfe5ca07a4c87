/*
** session: one session with one server application: a full userdata. Owns what its requests are made with
** (URI, transport, cookies, credentials, header lines) and its timer; its Lua values hang from it as user values.
** session_transition alone changes its state and queues its events.
*/
#ifndef SESSION_SESSION_H
#define SESSION_SESSION_H

#include "error.h"
#include "identity.h"
#include "operation.h"

#pragma GCC visibility push(hidden)

#define SESSION_TYPE "datasession.session"

struct protocol;
struct finding;

enum phase {
  PHASE_FRESH,      /* never logged in, logged out, or refused */
  PHASE_AUTHORIZED, /* the server accepted us, and has said nothing else since */
  PHASE_EXPIRED,    /* it accepted us once and does no more */
  PHASE_INVALID     /* for good */
};

struct session {
  struct loop *loop;               /* borrowed; the registry keeps it */
  const struct protocol *protocol; /* static */
  struct uri *service;             /* owned reference: the root of the web application */
  struct transport *transport;     /* owned reference */
  struct identity *who;            /* owned reference; NULL until something is sent, and after logout */
  struct header_list *headers;     /* owned reference: what every request carries; NULL: to be made anew */
  unsigned signed_for;             /* the generation of `who` that the header lines were made for */
  struct uri *ping_uri;            /* owned reference: the address that answered; NULL: not known */
  struct operation *login;         /* borrowed; the login in flight, or NULL */
  struct operation *autoping;      /* borrowed; the timer's ping in flight, or NULL */
  struct timer timer;              /* of pingInterval */
  double ping_interval;            /* milliseconds; 0: no autoping */
  long login_status;               /* loginHttpStatus; valid when login_result is not RESULT_NONE */
  enum result login_result;
  enum model model;
  enum phase phase;
  unsigned epoch;      /* counted up by login and logout: answers to what was sent before change nothing */
  unsigned operations; /* in flight */
  unsigned failures;   /* of automatic pings in a row: they come less often then */
  bool time_stamp;     /* each request carries a _ts parameter */
  bool has_on_open;    /* SESSION_ON_OPEN is a function */
  bool device_offline; /* the host says so */
  bool online;         /* the web application, when last heard of */
  bool named;          /* SESSION_NAME is: the session survives in a store */
  bool keep_tokens;    /* there, its tokens too */
  bool restored;       /* it came from there, and no server has confirmed it yet */
  bool admitted;       /* the server took credentials: it may keep a session until it is told */
  bool closed;         /* finalised */
  lua_Integer number;  /* of all sessions of the state, from 1 */
};

/* User values. */
enum {
  SESSION_URI = 1,      /* serviceURI as the user sees it */
  SESSION_USER,         /* userName */
  SESSION_CONTEXT_ID,   /* clientContextId */
  SESSION_HANDLERS,     /* event -> array of subscriptions */
  SESSION_CATALOGS,     /* the Lua layer's: { catalogs, catalogURIs, services } */
  SESSION_CONTEXT,      /* context properties: name -> value, or nil */
  SESSION_CONTEXT_TEXT, /* the same as the value of X-CLIENT-PROPS, or nil */
  SESSION_ON_OPEN,      /* onOpenRequest: a function or nil */
  SESSION_PROVIDER, /* authProvider: the AuthenticationProvider of `who`, once somebody asked for it, or it was given */
  SESSION_PROVIDER_USER, /* whom getSession logged the provider in as, or nil */
  SESSION_NAME,          /* name, or nil; persistence.c */
  SESSION_STORAGE,       /* where a session that has one is kept */
  SESSION_SAVER,         /* who keeps it there */
  SESSION_SLOTS = SESSION_SAVER
};

/* NULL when it is no session. */
struct session *session_test (lua_State *L, int index);
struct session *session_check (lua_State *L, int index);

/* Pushes the userdata of `s`, or nil when it is being finalised. */
void session_push (lua_State *L, const struct session *s);

bool session_connected (const struct session *s);

/*
** Changes the state by what an answer says, or what the session itself decides, and queues the event that follows. The session is at
** `index`. The one place where state changes.
*/
void session_transition (lua_State *L, int index, const struct finding *found);

/*
** An exchange of this session to `uri`, whose reference is taken. Within the session's own origin it carries
** the session's cookies, credentials and header lines; elsewhere none of what tells who it is. NULL when memory is short or `uri` is NULL. Raises nothing.
*/
struct exchange *session_exchange (lua_State *L, struct session *s, const char *method, struct uri *uri);

/* `uri`, whose reference is taken, with a _ts parameter if the session is to send one. NULL: no memory, or `uri` was. opening.c */
struct uri *session_stamp (struct session *s, struct uri *uri);

/* Puts the present token of `who` into the header lines of `x`, unless they have it. False: no memory, or nobody. */
bool session_sign_again (const struct identity *who, struct exchange *x);

/* An exchange to `uri`, whose reference is taken, that shows `who` and nothing of the session. NULL: no memory. */
struct exchange *session_exchange_as (struct session *s, struct identity *who, const char *method,
                                      struct uri *uri);

/* Raises unless what login got at 2 and 3 will do for the model. */
void session_check_credentials (lua_State *L, enum model model);

/* Copies what is at 2 and 3 into `who`, where its model keeps it. False: no memory. */
bool session_hold_credentials (lua_State *L, struct identity *who);

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

/* The login in flight has ended, however: credentials that were not accepted are forgotten. Raises nothing. */
void session_login_over (struct session *s);

/* Sets pingInterval's timer, or clears it, as the state asks. */
void session_arm (lua_State *L, struct session *s);

/* Verbs: each expects its session at index 1, and pushes the promise. */
int session_login (lua_State *L);
int session_logout (lua_State *L);
int session_invalidate (lua_State *L);
int session_ping (lua_State *L);
int session_is_authorized (lua_State *L);
int session_disconnect (lua_State *L);
int session_add_catalog (lua_State *L); /* catalog_loading.c */
int session_request (lua_State *L);     /* requesting.c */

/* Finaliser: frees everything without traffic. */
int session_gc (lua_State *L);

/* __close: invalidates, and steps the loop until that is settled, bounded by the session's timeout. */
int session_close (lua_State *L);

/* The constructor: new(options). */
int session_new (lua_State *L);

/* Pushes an array of the options' names. */
void session_push_option_names (lua_State *L);

/* The properties and methods of the type; session_binding.c. */
void session_register (lua_State *L);

/* The names of those options, for lists of what a call knows. */
#define TRANSPORT_OPTIONS                                                                                    \
  "connectTimeout", "timeout", "stallTimeout", "maxResponseSize", "maxRedirects", "insecure", "proxy",       \
      "caFile", "caPath", "clientCertificate", "clientKey", "clientKeyPassword", "userAgent"

/* Reads the options of limits, TLS and proxy in the table at `index`; the loop's shared defaults when there are none. Adds a reference. transport_options.c */
struct transport *transport_from_options (lua_State *L, struct loop *loop, int index);

#pragma GCC visibility pop

#endif
