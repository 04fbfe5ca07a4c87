/*
** cookie_jar: the cookies of one session, in a libcurl share handle. Reference-counted. Cookies never pass
** from one jar to another: an easy handle is attached to the jar of its exchange and to no other.
**
** The share is created when the first handle is attached, and freed with the last one if no cookie came: a
** session without cookies costs nothing but this struct. A share takes a kilobyte. Among the jars that hold
** cookies and no handle, the latest keep their shares; the others keep a few lines of text until a handle is
** attached again.
*/
#ifndef NET_COOKIE_JAR_H
#define NET_COOKIE_JAR_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct cookie_jar;

/* Shared by the jars of one owner. Outlives them, except for what cookie_jars_cleanup frees. */
struct cookie_jars {
  const struct allocator *memory; /* borrowed */
  struct cookie_jar **warm;  /* owned array of borrowed jars that keep a share without a handle; or NULL */
  unsigned short most, next; /* the length of `warm`; the place to give up next */
};

void cookie_jars_init (struct cookie_jars *jars, const struct allocator *memory, unsigned short most);
void cookie_jars_cleanup (struct cookie_jars *jars); /* remaining jars keep their shares */

struct cookie_jar *cookie_jar_new (struct cookie_jars *jars); /* one reference; NULL: out of memory */
struct cookie_jar *cookie_jar_keep (struct cookie_jar *jar);

/* Accepts NULL. The last reference frees the jar and its cookies. */
void cookie_jar_release (struct cookie_jar *jar);

/* True if a response set a cookie, if only to delete it. */
bool cookie_jar_has_cookies (const struct cookie_jar *jar);

/* Most bytes of cookies in a jar. As many more may come before the engine notices. */
enum { JAR_LIMIT = 1 << 20 };

/* True if the jar holds more than JAR_LIMIT. A server that sets ever more cookies would fill the memory. */
bool cookie_jar_is_overfull (struct cookie_jar *jar);

/* Removes every cookie. False: out of memory; the cookies stay. */
bool cookie_jar_clear (struct cookie_jar *jar);

/*
** The cookies that go to `host`, as lines of Netscape's cookie file, for the caller to free: they are
** secrets. NULL: there are none. False: out of memory.
*/
bool cookie_jar_export (struct cookie_jar *jar, const char *host, struct curl_slist **lines);

/* The same of all its cookies, whatever host they are for. */
bool cookie_jar_export_all (struct cookie_jar *jar, struct curl_slist **lines);

/* Adds the cookie of such a line. False: the line holds no cookie for `host`, or memory ran out. */
bool cookie_jar_import (struct cookie_jar *jar, const char *host, const char *line);

/*
** For handle.c: the caller holds a reference from attach to detach. An attached handle reads and writes this
** jar's cookies and no others.
*/
CURLcode cookie_jar_attach (struct cookie_jar *jar, CURL *easy);
void cookie_jar_detach (struct cookie_jar *jar, CURL *easy);

/* A Set-Cookie line of `length` bytes came: the share must be kept. */
void cookie_jar_note_cookie (struct cookie_jar *jar, size_t length);

/*
** A request with this jar sent credentials or received a cookie, so handles may hold secrets of its session.
*/
void cookie_jar_note_secret (struct cookie_jar *jar); /* accepts NULL */
bool cookie_jar_has_secret (const struct cookie_jar *jar);

/* For engine.c: while set, no idle handle may hold this jar. The next request with the jar clears it. */
void cookie_jar_set_forgotten (struct cookie_jar *jar, bool forgotten);
bool cookie_jar_is_forgotten (const struct cookie_jar *jar);

#pragma GCC visibility pop

#endif
