/*
** protocol: all that the session knows of a service, as a table of C functions. A protocol describes
** exchanges and judges their answers; it knows no socket, changes no state and settles no promise but through
** the session's and the operation's functions.
*/
#ifndef SESSION_PROTOCOL_H
#define SESSION_PROTOCOL_H

#include "session.h"

#pragma GCC visibility push(hidden)

/* What an answer says of the session. */
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
  VERDICT_DEVICE_LOST, /* not from an answer: the host says that there is no network */
  VERDICT_DEVICE_BACK, /* ... that there is one again */
  VERDICT_ENTERING,    /* not from an answer: the user logs in */
  VERDICT_LEFT,        /* not from an answer: the user logged out */
  VERDICT_INVALIDATED  /* not from an answer: for good */
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
  bool apart;             /* not from the session's application: changes no state */
  const char *reason;     /* static: the offline reason, or NULL */
  const char *context_id; /* in the exchange's headers: X-CLIENT-CONTEXT-ID; NULL: none */
  size_t context_id_length;
  const char *properties; /* in the exchange's headers: X-CLIENT-PROPS; NULL: none */
  size_t properties_length;
  struct fault fault; /* what to tell the user when it is not well; strings static or in `message` */
  char message[512];
};

/*
** The verbs describe their first exchange and send it with operation_send, or settle with operation_defer; false
** when memory was short, nothing being in flight then.
*/
struct protocol {
  const char *name;
  bool (*login)(
      lua_State *L,
      struct operation *op); /* login's arguments are at 2 and 3; the session holds credentials already */
  bool (*check)(lua_State *L, struct operation *op);
  bool (*ping)(lua_State *L, struct operation *op);
  bool (*logout)(lua_State *L,
                 struct operation *op); /* while the session still has what it proves itself with */
  bool (*dress)(
      struct header_list *lines); /* what every request carries, wherever it goes; false: no memory */
  bool (*sign)(lua_State *L, struct session *s,
               struct header_list *lines); /* what marks it as the session's; false: the same */
  void (*judge)(lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found);
};

/* The offline reasons; texts of the JavaScript reference, the last one ours. */
#define REASON_DEVICE "Device is offline"
#define REASON_SERVER "Cannot contact server"
#define REASON_APPLICATION "Mobile Web Application is not available"
#define REASON_APPSERVER "AppServer is not available"
#define REASON_SERVICE "REST web Service is not available"
#define REASON_EXPIRED "Session has expired"

extern const struct protocol protocol_jsdo;

/* Fills `found` for an exchange that got no response. */
void finding_failure (struct finding *found, const struct exchange *x, enum purpose purpose);

/* Pushes the error that `found` describes, its info (of the answer `x`, may be NULL) within. */
void finding_push_error (lua_State *L, const struct exchange *x, const struct finding *found);

/* Pushes the info of an answer: { xhr, offlineReason }. */
void finding_push_info (lua_State *L, const struct exchange *x, const struct finding *found);

/* Changes the session's state by what `found` says, unless it left the state in which the operation began. */
void finding_apply (lua_State *L, struct operation *op, const struct finding *found);

/* Step of an operation that needs no network: resolves with (session, SUCCESS, {}). */
void conclude_at_once (lua_State *L, struct operation *op, struct exchange *x);

/* found->message by a format, which becomes its fault's message. */
void finding_say (struct finding *found, const char *format, ...);

/* Has the session's protocol judge the answer. */
void finding_judge (lua_State *L, struct operation *op, const struct exchange *x, enum purpose purpose,
                    struct finding *found);

/*
** Ends `op` as `found` says, the session's state first: resolves with (session, success, info), or rejects with its error.
** `x` may be NULL.
*/
void finding_conclude (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found,
                       enum result success);

#pragma GCC visibility pop

#endif
