/*
** server: an HTTP server on plain sockets, in a thread of its own, on a port of 127.0.0.1 that the system picks.
** It does what a well-behaved server cannot: an answer is a script. Requests are told apart by a key, method and
** path without parameters ("GET /static/home.html"). Owns its thread, connections, answers and faults.
*/
#ifndef FAULTS_SERVER_H
#define FAULTS_SERVER_H

#include "script.h"

struct fault_server;

/* When a fault's script begins. */
enum fault_when {
  WHEN_REQUEST, /* a request has been read whole */
  WHEN_HEAD,    /* its head is there; the rest is left for STEP_READ */
  WHEN_ACCEPT   /* nothing was read; the key says nothing */
};

struct fault_server *fault_server_start (void); /* NULL: errno says why */
void fault_server_stop (struct fault_server *s);
int fault_server_port (const struct fault_server *s);

/* The answer to such a request from now on. Takes a reference away from the caller. False: no memory. */
bool fault_server_answer (struct fault_server *s, const char *key, struct script *script);

/* The next `count` such requests get this instead (0: all, until cleared); NULL key: any. The last told is the
** first used. Takes a reference. */
bool fault_server_fault (struct fault_server *s, const char *key, enum fault_when when, unsigned count,
                         struct script *script);

void fault_server_clear (struct fault_server *s); /* forgets the faults; scripts under way go on */

/* Lets each connection that pauses go to its next pause; how many did, when they have. */
unsigned fault_server_release (struct fault_server *s);

/* Closes or resets every connection that waits for a request; how many, when they are closed. */
unsigned fault_server_drop (struct fault_server *s, bool reset);

/* Counts the requests with that key from now on. False: no memory. */
bool fault_server_watch (struct fault_server *s, const char *key);
unsigned fault_server_watched (struct fault_server *s); /* how many there were that were read whole */

/* How many requests were read whole; how many connections were accepted, are open, and pause. */
struct fault_counts {
  unsigned requests, accepted, open, paused;
};
struct fault_counts fault_server_counts (struct fault_server *s);

#endif
