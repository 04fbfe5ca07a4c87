/*
** verdict: what a response, or the session itself, says about the session (a finding), and how an operation
** ends by it.
*/
#ifndef SESSION_VERDICT_H
#define SESSION_VERDICT_H

#include "runtime/error.h"
#include "session/operation.h"

#pragma GCC visibility push(hidden)

enum verdict {
  VERDICT_ALIVE,       /* the session works */
  VERDICT_NEUTRAL,     /* says nothing about the session: a 404 for some path, a cancelled request */
  VERDICT_REFUSED,     /* the server did not accept the credentials */
  VERDICT_EXPIRED,     /* the server no longer accepts the session */
  VERDICT_ABSENT,      /* the server answers, the application is missing */
  VERDICT_DOWN,        /* the application answers, the server behind it does not */
  VERDICT_UNREACHABLE, /* no response */
  VERDICT_BROKEN,      /* a response that makes no sense here */
  VERDICT_ADMITTED,    /* the server took the credentials; a check must still confirm the session */
  /* those below do not come from a response */
  VERDICT_DEVICE_LOST,      /* the host reports that there is no network */
  VERDICT_DEVICE_BACK,      /* the host reports that there is one again */
  VERDICT_LAPSED,           /* its deadline has passed */
  VERDICT_ENTERING,         /* the user starts a login */
  VERDICT_UNDONE,           /* that login failed: the session forgets it */
  VERDICT_CLOSING,          /* the user asks the server to end it */
  VERDICT_STAYING,          /* the server did not end it */
  VERDICT_DISOWNED,         /* the server is not told of its end */
  VERDICT_LEFT,             /* the user logged out */
  VERDICT_INVALIDATED,      /* the user invalidated it */
  VERDICT_RECONNECT_BEGUN,  /* a reconnect has begun */
  VERDICT_RECONNECT_FAILED, /* the reconnect has failed */
  VERDICT_TOLD              /* only the protocol's status has changed */
};

/* The purpose of an exchange. Decides how its response is judged. */
enum purpose {
  PURPOSE_LOGIN,
  PURPOSE_CHECK,
  PURPOSE_PING,
  PURPOSE_CATALOG,
  PURPOSE_LOGOUT,
  PURPOSE_REQUEST,
  PURPOSE_REFRESH
};

struct finding {
  enum verdict verdict;
  enum purpose purpose;
  bool apart;             /* addressed outside the session's application: changes no state */
  bool stands;            /* even if the call failed, the response shows that the server has the session */
  bool has_lifetime;      /* `lifetime` is valid */
  double lifetime;        /* seconds until the session expires unless it is used; 0: never */
  const char *reason;     /* static: the offline reason, or NULL */
  const char *session_id; /* in the exchange, or static: the server's id of the session; NULL: none */
  size_t session_id_length;
  const char *context_id; /* in the exchange's headers: X-CLIENT-CONTEXT-ID; NULL: none */
  size_t context_id_length;
  const char *properties; /* in the exchange's headers: X-CLIENT-PROPS; NULL: none */
  size_t properties_length;
  struct fault fault; /* the error to report unless the verdict is good; strings are static or in `message` */
  char message[768];
};

/* The offline reasons. All but the last are texts of the JavaScript reference. */
#define REASON_DEVICE "Device is offline"
#define REASON_SERVER "Cannot contact server"
#define REASON_APPLICATION "Mobile Web Application is not available"
#define REASON_APPSERVER "AppServer is not available"
#define REASON_SERVICE "REST web Service is not available"
#define REASON_EXPIRED "Session has expired"

/* A hint how to get a working session again, static. */
const char *verdict_way_back (const struct session *s);

/* Fills `found` for an exchange that got no response. */
void verdict_failure (struct finding *found, const struct exchange *x, enum purpose purpose);

/* Pushes the error that `found` describes, with the info of the response `x`, which may be NULL. */
void verdict_push_error (lua_State *L, const struct exchange *x, const struct finding *found);

/* Pushes the info of a response: { xhr, offlineReason }. */
void verdict_push_info (lua_State *L, const struct exchange *x, const struct finding *found);

/* Changes the session's state by `found`, unless the state has changed since the operation began. */
void verdict_apply (lua_State *L, struct operation *op, const struct finding *found);

/* The step of an operation that needs no network: resolves with (session, SUCCESS, {}). */
void conclude_at_once (lua_State *L, struct operation *op, struct exchange *x);

/* The same as a verb, for a protocol that sends nothing. */
bool conclude_later (lua_State *L, struct operation *op);

/* Sets the message of `found` and of its fault by a format. */
void verdict_say (struct finding *found, const char *format, ...);

/*
** Adds the server's own words to the message, if the response has status 400 or more, and when to try again.
** Raises when out of memory.
*/
void verdict_quote (lua_State *L, const struct exchange *x, struct finding *found);

/* A phrase for a request's status of 400 or more, for messages. Static. */
const char *verdict_refusal (long status);

/* Begins a finding for the response `x`: sets purpose, status, URI, and GENERAL_FAILURE as its result. */
void verdict_begin (struct finding *found, const struct exchange *x, enum purpose purpose);

/* Records a failure: the verdict, and the message "HTTP <status> from <uri>: <what>". Strings are static. */
void verdict_blame (struct finding *found, enum verdict verdict, const char *kind, const char *reason,
                    const char *what, const char *hint);

/* Begins the message with the name of that call instead of the purpose's. */
void verdict_rename (struct finding *found, const char *call);

/*
** Begins the message with the name of the operation's call, where several calls have one purpose: request,
** invoke; logout, invalidate, stop.
*/
void verdict_name_call (const struct operation *op, struct finding *found);

/*
** Says of a stop that the server refused that the session goes on; changes nothing of other calls' findings,
** since a logout ends the session here in any case.
*/
void verdict_blame_stop (lua_State *L, const struct operation *op, const struct exchange *x,
                         struct finding *found);

/* Has the session's protocol judge the answer. */
void verdict_judge (lua_State *L, struct operation *op, const struct exchange *x, enum purpose purpose,
                    struct finding *found);

/*
** Changes the session's state by `found`, then ends `op`: resolves with (session, success, info), or rejects
** with the error. If a loss of the session interrupted `op`, it may wait for the reconnect instead. `x` may
** be NULL.
*/
void verdict_conclude (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found,
                       enum result success);

/* The same for other results: `push` pushes value, result and info. */
void verdict_conclude_with (lua_State *L, struct operation *op, const struct exchange *x,
                            struct finding *found,
                            void (*push)(lua_State *, struct operation *, const struct exchange *,
                                         const struct finding *));

#pragma GCC visibility pop

#endif
