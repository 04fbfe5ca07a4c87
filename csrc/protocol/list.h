/* list: the protocols of the library, in the order in which messages name them. Add a new one here. */
#ifndef PROTOCOL_LIST_H
#define PROTOCOL_LIST_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

/* Ends with NULL. The first is the default. */
extern const struct protocol *const protocol_list[];

#pragma GCC visibility pop

#endif
