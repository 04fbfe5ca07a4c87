/*
** cookie_lines: the cookies of a libcurl share as lines of Netscape's cookie file, the format in which
** libcurl exports and imports them: domain, whether it covers subdomains, path, https only, expiry, name,
** value. All of it is secret.
*/
#ifndef NET_COOKIE_LINES_H
#define NET_COOKIE_LINES_H

#include "net/allocator.h"

#include <curl/curl.h>
#include <stdbool.h>

#pragma GCC visibility push(hidden)

bool cookie_lines_is (const char *line);

/* True if the cookie of this line would be sent to `host`. */
bool cookie_lines_is_for (const char *line, const char *host);

/* All cookies of the share, for the caller to free. False: out of memory. */
bool cookie_lines_list (CURLSH *share, struct curl_slist **lines);

/* Adds one line to the share, or runs libcurl's command ALL. False: out of memory. */
bool cookie_lines_put (CURLSH *share, const char *line);

/* The cookies of a share in a tenth of its memory. The caller of cookie_parcel_new owns it. */
struct cookie_parcel;

/* NULL: out of memory, or there are no cookies, or libcurl might not take some back unchanged. */
struct cookie_parcel *cookie_parcel_new (const struct allocator *memory, CURLSH *share);
bool cookie_parcel_open (const struct cookie_parcel *parcel, CURLSH *share); /* false: out of memory */

/* Wipes the parcel. Accepts NULL. */
void cookie_parcel_free (const struct allocator *memory, struct cookie_parcel *parcel);

#pragma GCC visibility pop

#endif
