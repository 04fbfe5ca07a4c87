/*
** server: an HTTP server on plain sockets, in a thread of its own, on a free port of 127.0.0.1. It breaks
** HTTP as a real server would not: an answer is a script. A key selects it: method and path without
** parameters ("GET /static/home.html"). Owns its thread, connections, answers and faults.
*/
#ifndef FAULTS_SERVER_H
#define FAULTS_SERVER_H

#include "script.h"

struct fault_server;

/* When a fault's script begins. */
enum fault_when {
  WHEN_REQUEST, /* after a complete request */
  WHEN_HEAD,    /* after its header block; the rest is left for STEP_READ */
  WHEN_ACCEPT   /* before any input; the key is ignored */
};

struct fault_server *fault_server_start (void); /* NULL: see errno */
void fault_server_stop (struct fault_server *s);
int fault_server_port (const struct fault_server *s);

/* Sets the answer to requests with that key. Takes ownership of a reference. False: out of memory. */
bool fault_server_answer (struct fault_server *s, const char *key, struct script *script);

/*
** Replaces the answer to the next `count` such requests (0: all, until cleared); NULL key: any. The latest
** fault is used first. Takes ownership of a reference.
*/
bool fault_server_fault (struct fault_server *s, const char *key, enum fault_when when, unsigned count,
                         struct script *script);

void fault_server_clear (struct fault_server *s); /* removes the faults; running scripts continue */

/* Continues each paused connection until its next pause. Returns how many continued. */
unsigned fault_server_release (struct fault_server *s);

/* Closes or resets every connection that waits for a request. Returns their number. */
unsigned fault_server_drop (struct fault_server *s, bool reset);

/* Counts requests with that key from now on. False: out of memory. */
bool fault_server_watch (struct fault_server *s, const char *key);
unsigned fault_server_watched (struct fault_server *s); /* the number of complete ones */

/* Numbers of complete requests, and of accepted, open and paused connections. */
struct fault_counts {
  unsigned requests, accepted, open, paused;
};
struct fault_counts fault_server_counts (struct fault_server *s);

#endif
