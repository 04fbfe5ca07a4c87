/* delivery: sends an answer over a connection, or breaks the connection as the answer says. Owns nothing. */
#ifndef SANDBOX_DELIVERY_H
#define SANDBOX_DELIVERY_H

#include "sandbox/message.h"

#include <microhttpd.h>

#pragma GCC visibility push(hidden)

/*
** Called in the connection's thread when the request is complete and `answer->delay` has passed. Takes the
** answer's body. The result is for the daemon: MHD_NO closes the connection.
*/
enum MHD_Result delivery_send (struct MHD_Connection *connection, struct answer *answer);

#pragma GCC visibility pop

#endif
