/* jsdo: what protocol_jsdo and provider share of OpenEdge's wire format. */
#ifndef PROTOCOL_JSDO_JSDO_H
#define PROTOCOL_JSDO_JSDO_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_jsdo;

extern const char jsdo_login_target[], jsdo_form_login[], jsdo_form_logout[];

/* jsdo_options.c: the options, and what the protocol does with them. */
extern const char *const jsdo_options[];
void jsdo_configure (lua_State *L, struct session *s);

/*
** A provider that has logged in makes the session's own login unnecessary: it counts as logged in, and as connected once a
** server says so. The options are at 1, the session at 2.
*/
void jsdo_take_provider (lua_State *L, struct session *s);

/* What every request carries. False: no memory. */
bool jsdo_dress (struct header_list *lines);

/* Makes `x` the POST of a login form. False: no memory. */
bool jsdo_fill_form (struct exchange *x, const struct credentials *as);

/* Servers that answer with pages whatever Accept says send the login form, or its error page, with status 200. */
bool jsdo_is_login_page (const struct exchange *x, enum purpose purpose);

/* Older servers put the real status into the body: { "status_code": 401, "status_txt": "..." }. */
long jsdo_real_status (lua_State *L, const struct exchange *x, enum purpose purpose);

/* The 401 says that the token, not the login, is over. */
bool jsdo_says_expired_token (const struct exchange *x);

#pragma GCC visibility pop

#endif
