/*
** jar: the cookies of one session, in a libcurl share handle. Counted. Cookies never pass from one jar to
** another: an easy handle is attached to the jar of the exchange that it serves and to no other. The share
** is made when a handle is first attached, and goes with the last one if no cookie came: a session
** without cookies costs nothing but this struct. A share is a kilobyte: of jars that hold cookies and no handle the
** latest keep theirs, those before have a few lines of text instead until a handle is attached again.
*/
#ifndef NET_COOKIE_JAR_H
#define NET_COOKIE_JAR_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

struct cookie_jar;

/* What the jars of one owner have in common; outlives them, but for what cookie_jars_cleanup frees. */
struct cookie_jars {
  const struct allocator *memory; /* borrowed */
  struct cookie_jar **
      warm; /* owned array of borrowed jars, or NULL: which hold cookies, and when last used no handle, in a share */
  unsigned short most, next; /* its length; the place whose turn it is to be given up */
};

void cookie_jars_init (struct cookie_jars *jars, const struct allocator *memory, unsigned short most);
void cookie_jars_cleanup (struct cookie_jars *jars); /* jars that are left keep their shares */

struct cookie_jar *cookie_jar_new (struct cookie_jars *jars); /* one reference; NULL: no memory */
struct cookie_jar *cookie_jar_keep (struct cookie_jar *jar);
void cookie_jar_release (
    struct cookie_jar *jar); /* accepts NULL; the last reference frees, cookies with it */

bool cookie_jar_has_cookies (const struct cookie_jar *jar); /* a response set one, if only to delete it */

enum {
  JAR_LIMIT = 1 << 20
}; /* bytes of cookies that a jar is to hold; up to as many more may come until it is noticed */

/* Does it hold more? The cookies of a server that sets ever more would fill the memory. */
bool cookie_jar_is_overfull (struct cookie_jar *jar);

/* Forgets every cookie. False: no memory, the cookies stay. */
bool cookie_jar_clear (struct cookie_jar *jar);

/*
** The cookies that go to `host`, as lines of Netscape's cookie file, for the caller to free: they are secrets. NULL: there is
** none. False: no memory.
*/
bool cookie_jar_export (struct cookie_jar *jar, const char *host, struct curl_slist **lines);

/* The same of all its cookies, whatever host they are for. */
bool cookie_jar_export_all (struct cookie_jar *jar, struct curl_slist **lines);

/* Takes such a line in. False: it is none, not one for `host`, or memory is short. */
bool cookie_jar_import (struct cookie_jar *jar, const char *host, const char *line);

/*
** For handle: who attaches holds a reference until it detached. A handle that is attached reads and
** writes the jar's cookies, and only it.
*/
CURLcode cookie_jar_attach (struct cookie_jar *jar, CURL *easy);
void cookie_jar_detach (struct cookie_jar *jar, CURL *easy);
void cookie_jar_note_cookie (struct cookie_jar *jar,
                             size_t length); /* a Set-Cookie came: the share holds something from now on */

/* An answer to a request with this jar showed in its header lines, if only by a cookie, who one is to the server. */
void cookie_jar_note_secret (struct cookie_jar *jar); /* accepts NULL */
bool cookie_jar_has_secret (const struct cookie_jar *jar);

/* For engine: the owner wants no idle handle to hold this jar, until it is used again. */
void cookie_jar_set_forgotten (struct cookie_jar *jar, bool forgotten);
bool cookie_jar_is_forgotten (const struct cookie_jar *jar);

#pragma GCC visibility pop

#endif
