/*
** mask: copies texts of HTTP messages and leaves out what identifies a user: each secret becomes "***". A
** value is a secret by its name (a header, a cookie, a field of a form, of JSON, of XML or of a query), or
** because the same value was one before, in the same struct mask.
**
** Owns copies of the secrets that it met, which it wipes.
*/
#ifndef NET_MASK_H
#define NET_MASK_H

#include "net/buffer.h"

#pragma GCC visibility push(hidden)

struct mask {
  const struct allocator *memory; /* borrowed */
  struct buffer known;            /* owned: the secrets, each with a NUL behind it */
  unsigned count;                 /* of them */
};

void mask_init (struct mask *m, const struct allocator *memory);

/* Wipes what it knows. */
void mask_cleanup (struct mask *m);

/* True if a value of that name is a secret: "j_password", "access_token", "dse_sessionId". */
bool mask_is_secret (const char *name, size_t length);

/*
** Each appends a masked copy of the text to `to`. False: out of memory; `to` may have a part of it, which is
** masked too.
*/
bool mask_uri (struct mask *m, struct buffer *to, const char *text, size_t length);

/* A line of a header block, without its end: a request line, a status line, or a header. */
bool mask_header (struct mask *m, struct buffer *to, const char *line, size_t length);

/* A body or its beginning: a form, JSON, XML, HTML, a multipart body or any other text. */
bool mask_body (struct mask *m, struct buffer *to, const char *text, size_t length);

#pragma GCC visibility pop

#endif
