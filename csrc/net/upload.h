/*
** upload: the body of a request that is not in memory as a whole: a file, the parts of a form, or pieces that
** the owner of the exchange gives, one after another. Owns its texts and files; borrows the pieces. Gives
** libcurl the bytes when it asks, and goes back to the first one for each hop that sends the body.
*/
#ifndef NET_UPLOAD_H
#define NET_UPLOAD_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct exchange;

enum upload_kind { UPLOAD_PIECES, UPLOAD_FILE, UPLOAD_FORM };

enum {
  UPLOAD_MOST_PIECES = 16,   /* that wait for libcurl */
  UPLOAD_ENOUGH = 128 * 1024 /* bytes that wait: the owner is not asked for more */
};

struct upload_part {
  struct upload_part *next;                         /* owned */
  struct upload *upload;                            /* borrowed: its owner */
  const char *name, *path, *filename, *type, *data; /* in `texts`; NULL: none; either `path` or `data` */
  size_t data_length;
  int file;        /* a descriptor; -1: closed */
  long long size;  /* of the file when it was opened */
  long long left;  /* of these bytes, not read yet */
  size_t capacity; /* of `texts` */
  char texts[];
};

struct upload {
  struct allocator memory;
  enum upload_kind kind;
  struct exchange *exchange;        /* borrowed; of the current hop */
  long long size;                   /* of all pieces; -1: not known */
  struct upload_part *first, *last; /* of a form; a file is one part without a name */

  /* for pieces */
  struct upload_piece {
    const char *text;           /* borrowed */
    size_t left;                /* bytes of it that libcurl has not taken yet */
  } pieces[UPLOAD_MOST_PIECES]; /* a ring */
  unsigned oldest, count;       /* of those that wait for libcurl */
  size_t waiting;               /* bytes of them */
  long long taken;              /* bytes that libcurl has taken in this hop */
  bool ended;                   /* there is no other piece */
  bool asked;                   /* the owner was asked for a piece, in some hop */
  bool repeatable;              /* the owner can begin again with the first piece */
  bool restart;                 /* it must: it clears this when it does */
};

/* `size`: of pieces; -1: not known. NULL: out of memory. */
struct upload *upload_new (const struct allocator *memory, enum upload_kind kind, long long size);
void upload_free (struct upload *u); /* accepts NULL */

/* Copies the texts of `part`: its name, path, filename, type and data. False: out of memory. */
bool upload_add (struct upload *u, const struct upload_part *part);

/*
** True if the body can be sent from its first byte: always but for pieces, some of which the owner gave and
** cannot give again.
*/
bool upload_can_begin (const struct upload *u);

/* True if the owner should be asked for another piece. */
bool upload_wants (const struct upload *u);

/* The place in the ring for the next piece, from 0: libcurl has taken the one that was there. */
unsigned upload_next_place (const struct upload *u);

/* Adds a piece, if upload_wants. `last`: there is no other, and this one may be empty. */
void upload_add_piece (struct upload *u, const char *text, size_t length, bool last);

/* The hint where a request is not sent again because it cannot. */
extern const char upload_spent_hint[];

/*
** Begins a hop, if upload_can_begin: opens the files and sets the body's options. A form's *mime is the
** caller's, to free after it was unset; else it is NULL. On an error of the files a failure is noted in `x`.
*/
CURLcode upload_begin (struct upload *u, struct exchange *x, CURL *easy, curl_mime **mime);

/* Closes the files. */
void upload_end (struct upload *u);

/* The size of what is sent; LLONG_MAX: not known. */
long long upload_size (const struct upload *u);

#pragma GCC visibility pop

#endif
