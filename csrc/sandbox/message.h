/*
** message: a request and its answer as plain data, without Lua or an HTTP library. Each owns all that it
** points to. A request belongs to its connection's thread after its request line was read.
*/
#ifndef SANDBOX_MESSAGE_H
#define SANDBOX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

struct field { /* one header line */
  char *name;  /* owned, NUL at the end, as is the value */
  char *value;
};

struct fields {
  struct field *items; /* owned */
  size_t count;
  size_t capacity;
};

struct request {
  char *method;   /* owned; NULL until the headers are complete */
  char *uri;      /* owned; as in the request line, not decoded */
  char *user;     /* owned; of Basic credentials, NULL without them */
  char *password; /* owned; NULL without one */
  struct fields headers;
  char *body; /* owned */
  size_t body_length;
  size_t body_capacity;
  size_t body_limit;
  uint64_t size; /* bytes of the body that came, kept or not */
  bool too_big;  /* the body passed `body_limit` and was dropped */
};

/* How the answer ends, or what replaces it. */
enum ending {
  ENDING_WHOLE, /* the whole answer */
  ENDING_CUT,   /* `cut_after` bytes of a body with its `size` declared, then the connection closes */
  ENDING_CLOSE, /* nothing: the connection closes */
  ENDING_RESET, /* nothing: the connection is reset */
  ENDING_RAW    /* the body's bytes instead of an HTTP response, then the connection closes */
};

struct answer {
  unsigned status;
  struct fields headers;
  char *body; /* owned */
  size_t body_length;
  uint64_t size; /* bytes to send: above `body_length` the body repeats */
  double delay;  /* seconds before the answer */
  enum ending ending;
  uint64_t cut_after;
};

/* Copies `uri`. NULL: out of memory. */
struct request *request_new (const char *uri, size_t body_limit);
void request_free (struct request *r); /* accepts NULL */

/* False: out of memory. Above `body_limit` it drops the body, sets `too_big` and returns true. */
bool request_add_body (struct request *r, const char *data, size_t length);

/* Adds copies of both. False: out of memory; nothing was added. */
bool fields_add (struct fields *f, const char *name, const char *value);

void answer_init (struct answer *a);
void answer_cleanup (struct answer *a);

/* Replaces the body by a copy of the bytes. False: out of memory; there is no body. */
bool answer_set_body (struct answer *a, const char *data, size_t length);

/* Replaces the answer by a body of text/plain, which is empty when memory runs out. */
void answer_set_text (struct answer *a, unsigned status, const char *text);

#pragma GCC visibility pop

#endif
