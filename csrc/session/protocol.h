/*
** protocol: all that the session knows of a service, as a table of C functions. A protocol describes
** exchanges and judges their answers; it knows no socket, changes no state and settles no promise but through
** the session's and the operation's functions.
*/
#ifndef SESSION_PROTOCOL_H
#define SESSION_PROTOCOL_H

#include "session/active_session.h"
#include "session/autoping.h"
#include "session/credentials.h"
#include "session/exchange.h"
#include "session/hooks.h"
#include "session/identity.h"
#include "session/log.h"
#include "session/on_open_request.h"
#include "session/operation.h"
#include "session/reconnect.h"
#include "session/request.h"
#include "session/session.h"
#include "session/session_new.h"
#include "session/verbs.h"
#include "session/verdict.h"

#pragma GCC visibility push(hidden)

enum reconnecting { RECONNECT_NEVER, RECONNECT_ASKED, RECONNECT_ALWAYS }; /* asked: with the option alone */

/*
** The verbs describe their first exchange and send it with operation_send, or settle with operation_defer; false
** when memory was short, nothing being in flight then. What may be NULL says so.
*/
struct protocol {
  const char *name;

  /* Making */
  const char *const *options; /* those it knows beside everybody's; NULL: none */
  const luaL_Reg *methods;    /* those of its sessions beside everybody's; NULL: none */
  void (*configure)(lua_State *L,
                    struct session *s); /* reads its options, at 1; the session is at 2; raises; or NULL */
  void (*restored)(lua_State *L,
                   struct session *s); /* the same, when what was stored has been restored; or NULL */
  void (*release)(struct session *s);  /* frees `wire`; or NULL */
  void (*push_name)(lua_State *L, struct session *s); /* the name that options of its own give it, at 1, to be
                                                         kept under, or nil; or NULL */
  enum reconnecting reconnects;
  bool implicit; /* it needs no login: its first request makes the session */
  bool catalogs; /* it has catalogs */
  bool not_run;  /* a server that refuses the session has not done what it was asked to */
  bool raises;   /* its verbs may raise, for want of memory, where they have no exchange in hand */
  const char
      *own_line;    /* the header line of `sign` that goes to the session's application alone, not to the rest
                           of its origin; NULL: there is none */
  bool fresh_lines; /* `sign` is asked for each request */
  bool slow_logout; /* it is logged out when the server has answered, not before */

  /* Verbs */
  void (*check_login)(lua_State *L,
                      struct session *s); /* raises for arguments (from 2 on) that will not do; leaves a
                                                           user or nil, a password or nil, options or nil; NULL: as the model says */
  bool (*login)(lua_State *L, struct operation *op, const struct credentials *as);
  bool (*check)(lua_State *L, struct operation *op);
  bool (*ping)(lua_State *L, struct operation *op);
  bool (*logout)(lua_State *L,
                 struct operation *op); /* while the session still has what it proves itself with */
  bool (*stop)(lua_State *L, struct operation *op); /* logout that the server may refuse; NULL: as logout */
  bool (*reestablish)(lua_State *L, struct operation *op,
                      unsigned attempt); /* from 1; concludes with what login or check would find */
  bool (*can_renew)(
      const struct session *s); /* a session that the server has ended can be had anew without the user */
  int (*invoke)(lua_State *L);  /* session:invoke(...); NULL: it has no methods to call */

  /* Requests */
  bool (*dress)(
      struct session *s,
      struct header_list *lines); /* what every request carries, wherever it goes; false: no memory */
  bool (*sign)(lua_State *L, struct session *s,
               struct header_list *lines); /* what marks it as the session's; false: the same */
  bool (*carry)(struct session *s,
                struct exchange
                    *x); /* adds to what was described for the session's own server what its session needs, in
                                        address, lines and body; raises nothing; false: no memory; or NULL */
  void (*hear)(lua_State *L, struct session *s,
               const struct exchange
                   *x); /* of each answer, before it is judged, also when there is no whole one; or NULL */
  void (*judge)(lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found);
  void (*judge_failure)(
      const struct session *s, const struct exchange *x,
      struct finding *found); /* no whole answer came, and `found` says what that is to everybody; or NULL */

  /* State: called by session_transition alone; all may be NULL */
  bool (*learn)(
      lua_State *L, int index, struct session *s,
      const struct finding *found); /* keeps found->session_id; true: the lines of `sign` have changed */
  void (*forget)(lua_State *L, int index,
                 struct session *s);                      /* what the server knew the session by is void */
  const char *(*status)(const struct session *s);         /* static: the service's own word for the state */
  void (*push_id)(lua_State *L, const struct session *s); /* session.sessionId, or nil */
  const char *(*refuses)(
      const struct session *s,
      bool login); /* static: in the service's words, why a call, or a login, cannot be now; or NULL */

  /* Storage: both, or NULL: cookies and tokens are all that proves a session */
  void (*save)(lua_State *L,
               struct session *s); /* pushes a table of what else does, strings and numbers, never a
                                                    credential; or nil: there is nothing to keep. `expires` in it is
                                                    when it is over, in milliseconds since 1970 */
  bool (*restore)(lua_State *L, struct session *s); /* takes such a table, on top; false: it is of no use */
};

#pragma GCC visibility pop

#endif
