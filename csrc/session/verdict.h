/* finding: what an answer, or the session itself, says of the session; and how an operation ends by it. */
#ifndef SESSION_VERDICT_H
#define SESSION_VERDICT_H

#include "runtime/error.h"
#include "session/operation.h"

#pragma GCC visibility push(hidden)

enum verdict {
  VERDICT_ALIVE,       /* all is well */
  VERDICT_NEUTRAL,     /* says nothing of the session: a 404 for some path, a cancelled request */
  VERDICT_REFUSED,     /* credentials not accepted */
  VERDICT_EXPIRED,     /* it was accepted once and is no more */
  VERDICT_ABSENT,      /* a server, but not this application */
  VERDICT_DOWN,        /* the application, but nothing behind it */
  VERDICT_UNREACHABLE, /* no answer */
  VERDICT_BROKEN,      /* an answer that makes no sense here */
  VERDICT_ADMITTED,    /* credentials taken; whether the session may be used is to be seen */
  /* not from an answer: */
  VERDICT_DEVICE_LOST,      /* the host says that there is no network */
  VERDICT_DEVICE_BACK,      /* ... that there is one again */
  VERDICT_LAPSED,           /* its deadline is over */
  VERDICT_ENTERING,         /* the user logs in */
  VERDICT_UNDONE,           /* that login failed: nothing of it is left */
  VERDICT_CLOSING,          /* the user asks the server to end it */
  VERDICT_STAYING,          /* the server did not end it */
  VERDICT_LEFT,             /* the user logged out */
  VERDICT_INVALIDATED,      /* for good */
  VERDICT_RECONNECT_BEGUN,  /* it is being re-established */
  VERDICT_RECONNECT_FAILED, /* that has been given up */
  VERDICT_TOLD              /* nothing has changed but what the protocol's status says */
};

/* What an exchange was for, which decides how its answer reads. */
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
  bool apart;         /* not from the session's application: changes no state */
  bool stands;        /* whatever became of the call, the answer shows that the server has the session */
  bool has_lifetime;  /* `lifetime` is said */
  double lifetime;    /* seconds that the session lives from now on unless it is used; 0: for ever */
  const char *reason; /* static: the offline reason, or NULL */
  const char
      *session_id; /* in the exchange, or static: what the server calls the session; NULL: it does not say */
  size_t session_id_length;
  const char *context_id; /* in the exchange's headers: X-CLIENT-CONTEXT-ID; NULL: none */
  size_t context_id_length;
  const char *properties; /* in the exchange's headers: X-CLIENT-PROPS; NULL: none */
  size_t properties_length;
  struct fault fault; /* what to tell the user when it is not well; strings static or in `message` */
  char message[768];
};

/* The offline reasons; texts of the JavaScript reference, the last one ours. */
#define REASON_DEVICE "Device is offline"
#define REASON_SERVER "Cannot contact server"
#define REASON_APPLICATION "Mobile Web Application is not available"
#define REASON_APPSERVER "AppServer is not available"
#define REASON_SERVICE "REST web Service is not available"
#define REASON_EXPIRED "Session has expired"

/* How an expired session becomes a good one: a hint, static. */
const char *finding_way_back (const struct session *s);

/* Fills `found` for an exchange that got no response. */
void verdict_failure (struct finding *found, const struct exchange *x, enum purpose purpose);

/* Pushes the error that `found` describes, its info (of the answer `x`, may be NULL) within. */
void verdict_push_error (lua_State *L, const struct exchange *x, const struct finding *found);

/* Pushes the info of an answer: { xhr, offlineReason }. */
void verdict_push_info (lua_State *L, const struct exchange *x, const struct finding *found);

/* Changes the session's state by what `found` says, unless it left the state in which the operation began. */
void verdict_apply (lua_State *L, struct operation *op, const struct finding *found);

/* Step of an operation that needs no network: resolves with (session, SUCCESS, {}). */
void conclude_at_once (lua_State *L, struct operation *op, struct exchange *x);

/* The same as a verb of a protocol that tells its server nothing. */
bool conclude_later (lua_State *L, struct operation *op);

/* found->message by a format, which becomes its fault's message. */
void verdict_say (struct finding *found, const char *format, ...);

/* Adds to the message what the server said in an answer of status 400 or more, and when to try again. Raises when memory is short. */
void verdict_quote (lua_State *L, const struct exchange *x, struct finding *found);

/* What a status of 400 or more says of a request, as a phrase. Static. */
const char *verdict_refusal (long status);

/* An empty finding of the answer `x`, for a judge to fill: purpose, status, URI, and GENERAL_FAILURE as its result. */
void verdict_begin (struct finding *found, const struct exchange *x, enum purpose purpose);

/* The answer is not well: the verdict, and a message "HTTP <status> from <uri>: <what>". Strings are static. */
void verdict_blame (struct finding *found, enum verdict verdict, const char *kind, const char *reason,
                    const char *what, const char *hint);

/* Has the session's protocol judge the answer. */
void verdict_judge (lua_State *L, struct operation *op, const struct exchange *x, enum purpose purpose,
                    struct finding *found);

/*
** Ends `op` as `found` says, the session's state first: resolves with (session, success, info), or rejects with its error;
** or, one that its session's loss has interrupted, it waits to be begun anew. `x` may be NULL.
*/
void verdict_conclude (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found,
                       enum result success);

/* The same for one that resolves with other values: `push` pushes value, result and info. */
void verdict_conclude_with (lua_State *L, struct operation *op, const struct exchange *x,
                            struct finding *found,
                            void (*push)(lua_State *, struct operation *, const struct exchange *,
                                         const struct finding *));

#pragma GCC visibility pop

#endif
