/*
** message: a request as it came and the answer that it gets, as plain data: neither Lua nor HTTP
** library. Each owns all that it points at. A request belongs to its connection's thread from the
** request line on.
*/
#ifndef SANDBOX_MESSAGE_H
#define SANDBOX_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

#define REQUEST_BODY_LIMIT ((size_t)16 * 1024 * 1024)

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
  char *uri;      /* owned; as it stands in the request line, nothing decoded */
  char *user;     /* owned; of Basic credentials, NULL without them */
  char *password; /* owned; NULL without one */
  struct fields headers;
  char *body; /* owned */
  size_t body_length;
  size_t body_capacity;
  bool too_big; /* the body passed REQUEST_BODY_LIMIT and was dropped */
};

/* How the answer ends, or what takes its place. */
enum ending {
  ENDING_WHOLE, /* the whole answer */
  ENDING_CUT,   /* `cut_after` bytes of a body declared with its full length, then the connection closes */
  ENDING_CLOSE, /* nothing: the connection closes */
  ENDING_RESET, /* nothing: the connection is reset */
  ENDING_RAW    /* the body's bytes in place of an HTTP response, then the connection closes */
};

struct answer {
  unsigned status;
  struct fields headers;
  char *body; /* owned */
  size_t body_length;
  double delay; /* seconds before anything happens */
  enum ending ending;
  size_t cut_after;
};

/* NULL: no memory. `uri` is copied. */
struct request *request_new (const char *uri);
void request_free (struct request *r); /* accepts NULL */

/* False: no memory. Past the limit the body is dropped, `too_big` set, and true returned. */
bool request_add_body (struct request *r, const char *data, size_t length);

/* A copy of both is added. False: no memory, nothing added. */
bool fields_add (struct fields *f, const char *name, const char *value);

void answer_init (struct answer *a);
void answer_cleanup (struct answer *a);

/* A copy of the bytes in place of the body. False: no memory, no body. */
bool answer_set_body (struct answer *a, const char *data, size_t length);

/* In place of what the answer held; a body of text/plain. Without memory for the text the body is empty. */
void answer_set_text (struct answer *a, unsigned status, const char *text);

#pragma GCC visibility pop

#endif
