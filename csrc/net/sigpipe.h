/*
** sigpipe: hides a SIGPIPE that libcurl causes from the host and leaves the host's handling of the signal
** alone. libcurl's own sockets never cause one on Linux (MSG_NOSIGNAL), but some TLS libraries do. It costs
** two system calls, so the engine uses it only after its first https request.
*/
#ifndef NET_SIGPIPE_H
#define NET_SIGPIPE_H

#include <stdbool.h>

#ifndef _WIN32
#include <signal.h>
#endif

#pragma GCC visibility push(hidden)

struct sigpipe_guard {
  bool on;
#ifndef _WIN32
  bool was_pending;
  sigset_t before;
#endif
};

void sigpipe_begin (struct sigpipe_guard *g, bool wanted);
void sigpipe_end (struct sigpipe_guard *g);

#pragma GCC visibility pop

#endif
