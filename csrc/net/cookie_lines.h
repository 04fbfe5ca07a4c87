/*
** cookie_lines: the cookies of a libcurl share as lines of Netscape's cookie file, which is how libcurl gives and takes
** them: domain, whether it covers subdomains, path, https alone, expiry, name, value. All that is secret.
*/
#ifndef NET_COOKIE_LINES_H
#define NET_COOKIE_LINES_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

bool cookie_lines_is (const char *line);

/* Would the cookie of this line be sent to `host`? */
bool cookie_lines_is_for (const char *line, const char *host);

/* All those in the share, for the caller to free. False: no memory. */
bool cookie_lines_list (CURLSH *share, struct curl_slist **lines);

/* Hands one line, or libcurl's command ALL, to the share. False: no memory. */
bool cookie_lines_put (CURLSH *share, const char *line);

/* The cookies of a share in a tenth of its memory. Owned by who had it made. */
struct cookie_parcel;

/* NULL: memory is short, there are none, or some that libcurl might not take back as they are. */
struct cookie_parcel *cookie_parcel_new (const struct allocator *memory, CURLSH *share);
bool cookie_parcel_open (const struct cookie_parcel *parcel, CURLSH *share); /* false: no memory */
void cookie_parcel_free (const struct allocator *memory,
                         struct cookie_parcel *parcel); /* accepts NULL; wipes */

#pragma GCC visibility pop

#endif
