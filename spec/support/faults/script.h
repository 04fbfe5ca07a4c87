/*
** script: what the fault server does on a connection, in steps, byte for byte. Counted; not changed once it is
** in use. A script is used by one thread at a time: the server's lock is around it.
*/
#ifndef FAULTS_SCRIPT_H
#define FAULTS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

enum step_kind {
  STEP_SEND,
  STEP_PAUSE, /* until told to go on */
  STEP_READ,  /* until a whole request has come, which is taken */
  STEP_CLOSE, /* an orderly end */
  STEP_RESET
};

struct step {
  enum step_kind kind;
  char *bytes; /* owned; of STEP_SEND */
  size_t length;
};

struct script {
  unsigned references;
  size_t count;
  struct step steps[];
};

struct script *script_new (size_t count); /* its steps are pauses; NULL: no memory */
bool script_set_bytes (struct script *s, size_t index, const char *bytes, size_t length);
struct script *script_keep (struct script *s);
void script_release (struct script *s); /* accepts NULL */

#endif
