/* jsdo: what the files of the JSDO protocol share of OpenEdge's HTTP interface. */
#ifndef PROTOCOL_JSDO_JSDO_H
#define PROTOCOL_JSDO_JSDO_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_jsdo;

extern const char jsdo_login_target[], jsdo_form_login[], jsdo_form_logout[];

/* options.c */
extern const char *const jsdo_options[];
void jsdo_configure (lua_State *L, struct session *s);

/*
** A session with a logged-in provider needs no login of its own: it counts as logged in now, and as connected
** once a server has answered. The options are at 1, the session at 2.
*/
void jsdo_take_provider (lua_State *L, struct session *s);

/* Adds the header lines of every request. False: out of memory. */
bool jsdo_dress (struct header_list *lines);

/* Makes `x` the POST of a login form. False: out of memory. */
bool jsdo_fill_form (struct exchange *x, const struct credentials *as);

/* True if the response is the login form or its error page, which some servers send with status 200. */
bool jsdo_is_login_page (const struct exchange *x, enum purpose purpose);

/* The status; older servers put the real one into the body: { "status_code": 401, "status_txt": "..." }. */
long jsdo_real_status (lua_State *L, const struct exchange *x, enum purpose purpose);

/* True if the 401 says that the token has expired, not the login. */
bool jsdo_says_expired_token (const struct exchange *x);

#pragma GCC visibility pop

#endif
