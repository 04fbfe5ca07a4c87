/* descriptors: tells whether this process can open the files that a connection takes. */
#ifndef NET_DESCRIPTORS_H
#define NET_DESCRIPTORS_H

#include <stdbool.h>

#pragma GCC visibility push(hidden)

/* True if a socket, and the files that TLS and the resolver read for it, cannot be opened now. */
bool descriptors_are_short (void);

#pragma GCC visibility pop

#endif
