/*
** script: the exact bytes and steps of the fault server on a connection. Reference-counted; immutable once in
** use. The server's lock protects it.
*/
#ifndef FAULTS_SCRIPT_H
#define FAULTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

enum step_kind {
  STEP_SEND,
  STEP_PAUSE, /* waits for fault_server_release */
  STEP_READ,  /* waits for a complete request and removes it */
  STEP_CLOSE, /* an orderly end */
  STEP_RESET,
  STEP_WAIT /* waits for `length` bytes of input, and leaves them */
};

struct step {
  enum step_kind kind;
  char *bytes;   /* owned; of STEP_SEND */
  size_t length; /* of STEP_SEND and STEP_WAIT */
};

struct script {
  unsigned references;
  size_t count;
  struct step steps[];
};

struct script *script_new (size_t count); /* its steps are pauses; NULL: out of memory */
bool script_set_bytes (struct script *s, size_t index, const char *bytes, size_t length);
struct script *script_keep (struct script *s);
void script_release (struct script *s); /* accepts NULL */

#endif
