/*
** protocol: everything that the session knows of a service, as a table of C functions. A protocol describes
** exchanges and judges their responses. It knows no socket, and changes states and settles promises only
** through the functions of session and operation.
*/
#ifndef SESSION_PROTOCOL_H
#define SESSION_PROTOCOL_H

#include "session/active_session.h"
#include "session/autoping.h"
#include "session/credentials.h"
#include "session/exchange.h"
#include "session/flow.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/log.h"
#include "session/on_open_request.h"
#include "session/operation.h"
#include "session/reconnect.h"
#include "session/request.h"
#include "session/retry.h"
#include "session/session.h"
#include "session/session_new.h"
#include "session/verbs.h"
#include "session/verdict.h"

#pragma GCC visibility push(hidden)

/* RECONNECT_ASKED: only with the option reconnect. */
enum reconnecting { RECONNECT_NEVER, RECONNECT_ASKED, RECONNECT_ALWAYS };

enum { USUAL_TELLING = 64 * 1024 }; /* bytes: an answer that ends or refuses a session is shorter */

/*
** The verbs describe their first exchange and send it with operation_send, or settle with operation_defer.
** They return false when out of memory; nothing is pending then. Members that may be NULL say so.
*/
struct protocol {
  const char *name;

  /* Options and construction */

  const char *const *options; /* beside the common ones; NULL: none */
  const luaL_Reg *methods;    /* of its sessions, beside the common ones; NULL: none */
  /* Reads its options, at 1; the session is at 2. Raises. Or NULL. */
  void (*configure)(lua_State *L, struct session *s);
  /* The same, after the session was restored from a store. Or NULL. */
  void (*restored)(lua_State *L, struct session *s);
  void (*release)(struct session *s); /* frees `data`; or NULL */
  /* Pushes the name under which a store keeps the session, from options of its own at 1; or nil. Or NULL. */
  void (*push_name)(lua_State *L, struct session *s);
  enum reconnecting reconnects;
  bool implicit; /* needs no login: the first request starts the session on the server */
  bool catalogs; /* has catalogs */
  bool not_run;  /* a server that rejects the session has not processed the request */
  bool raises;   /* its verbs may raise when out of memory while they hold no exchange */
  /*
  ** The header line of `sign` that only the session's application gets, not the rest of its origin. NULL:
  ** none.
  */
  const char *own_line;
  bool fresh_lines; /* `sign` is called for each request */
  bool slow_logout; /* the session is logged out only when the server has answered */

  /* Verbs */

  /*
  ** Raises for arguments (from 2 on) that do not suit. Leaves a user or nil, a password or nil, options or
  ** nil. NULL: the arguments of the authentication model.
  */
  void (*check_login)(lua_State *L, struct session *s);
  bool (*login)(lua_State *L, struct operation *op, const struct credentials *as);
  bool (*check)(lua_State *L, struct operation *op);
  bool (*ping)(lua_State *L, struct operation *op);
  bool (*logout)(lua_State *L, struct operation *op); /* the session still has its credentials and cookies */
  bool (*stop)(lua_State *L, struct operation *op);   /* logout that the server may refuse; NULL: as logout */
  /* One attempt to reconnect, counted from 1. Concludes as login or check would. */
  bool (*reestablish)(lua_State *L, struct operation *op, unsigned attempt);
  /* True if a session that the server has ended can be re-established without the user. */
  bool (*can_renew)(const struct session *s);
  int (*invoke)(lua_State *L); /* session:invoke(...); NULL: the server has no methods to call */

  /* Requests */

  /*
  ** Adds what identifies the session to the address of a request, whose reference is taken. NULL: out of
  ** memory. Or NULL.
  */
  struct uri *(*address)(lua_State *L, struct session *s, struct uri *uri);
  /* Makes the address of a request to the session's own origin unique, likewise. Or NULL. */
  struct uri *(*stamp)(struct session *s, struct uri *uri);
  /* Adds the header lines of every request, wherever it goes. False: out of memory. */
  bool (*dress)(struct session *s, struct header_list *lines);
  /* Adds the header lines that identify the session. False: out of memory. */
  bool (*sign)(lua_State *L, struct session *s, struct header_list *lines);
  /*
  ** Adds the session's data to a request to its own server, in address, lines and body. Raises nothing.
  ** False: out of memory. Or NULL.
  */
  bool (*carry)(struct session *s, struct exchange *x);
  /* Sees each response before it is judged, also an incomplete one. Or NULL. */
  void (*hear)(lua_State *L, struct session *s, const struct exchange *x);
  void (*judge)(lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found);
  /*
  ** For bodies that flow: as in struct request. `judge` sees the body of a response of status 2xx if it is a
  ** page, or if it has that type and at most so many bytes.
  */
  size_t telling; /* USUAL_TELLING, or what the protocol's messages need */
  const char *telling_type;
  /* May change `found`, the common finding for an exchange without a complete response. Or NULL. */
  void (*judge_failure)(const struct session *s, const struct exchange *x, struct finding *found);

  /* State; session_transition alone calls these. All may be NULL. */

  /* Keeps found->session_id. True if the lines of `sign` have changed. */
  bool (*learn)(lua_State *L, int index, struct session *s, const struct finding *found);
  /* Forgets what the server knew the session by. */
  void (*forget)(lua_State *L, int index, struct session *s);
  /* Forgets its data of a login that begins, fails or, `ended`, has ended. Raises nothing. */
  void (*forget_login)(lua_State *L, int index, struct session *s, bool ended);
  const char *(*status)(const struct session *s);         /* static: the service's name for the state */
  void (*push_id)(lua_State *L, const struct session *s); /* session.sessionId, or nil */
  /* The reason, in the service's words, why a call, or a login, is not possible now; static. NULL: it is. */
  const char *(*refuses)(const struct session *s, bool login);

  /* Store. Both, or NULL: cookies and tokens identify a session completely. */

  /*
  ** Pushes a table of the other data that identifies the session, strings and numbers, never a credential; or
  ** nil: there is nothing to keep. Its field `expires`: when the data expires, in milliseconds since 1970.
  */
  void (*save)(lua_State *L, struct session *s);
  bool (*restore)(lua_State *L, struct session *s); /* takes such a table, on top; false: it is of no use */

  /* Store. Fields beside the common ones, in the table on top. Or NULL. */

  void (*save_fields)(lua_State *L, struct session *s);
  void (*restore_fields)(lua_State *L, int index, struct session *s); /* raises */
};

#pragma GCC visibility pop

#endif
