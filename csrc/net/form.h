/* form: writes a body of type application/x-www-form-urlencoded, or a query, field by field. */
#ifndef NET_FORM_H
#define NET_FORM_H

#include "net/buffer.h"

#pragma GCC visibility push(hidden)

#define FORM_TYPE "application/x-www-form-urlencoded"

/*
** Adds name=value, after a '&' unless it is the first field. The name is written as it is, the value encoded
** as encodeURIComponent does. False: out of memory.
*/
bool form_add (struct buffer *form, const char *name, const char *value, size_t length);

#pragma GCC visibility pop

#endif
