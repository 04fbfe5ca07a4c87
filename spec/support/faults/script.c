#include "script.h"

#include <stdlib.h>
#include <string.h>

struct script *script_new (size_t count) {
  struct script *s = calloc(1, sizeof *s + count * sizeof *s->steps);
  if (!s) return NULL;
  s->references = 1;
  s->count = count;
  for (size_t i = 0; i < count; i++)
    s->steps[i].kind = STEP_PAUSE;
  return s;
}

bool script_set_bytes (struct script *s, size_t index, const char *bytes, size_t length) {
  struct step *step = &s->steps[index];
  step->bytes = malloc(length + 1);
  if (!step->bytes) return false;
  memcpy(step->bytes, bytes, length);
  step->length = length;
  step->kind = STEP_SEND;
  return true;
}

struct script *script_keep (struct script *s) {
  if (s) s->references++;
  return s;
}

void script_release (struct script *s) {
  if (!s || --s->references > 0) return;
  for (size_t i = 0; i < s->count; i++)
    free(s->steps[i].bytes);
  free(s);
}
