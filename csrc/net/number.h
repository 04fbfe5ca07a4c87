/* number: the text of a number, the same in every locale. Owns nothing. */
#ifndef NET_NUMBER_H
#define NET_NUMBER_H

#include <stddef.h>

#pragma GCC visibility push(hidden)

enum { NUMBER_SIZE = 32 }; /* of the longest text, with its NUL */

/*
** Writes a text of few digits that reads back as the same number: whole numbers below 1e21 with all their digits, so that it
** may be read as an integer too; others plain from 1e-6 on, below that and from 1e21 on with an exponent, as JavaScript does.
** The length; 0, and "", for NaN and infinity, which no service takes.
*/
size_t number_write (char to[NUMBER_SIZE], double value);

/* The same for a reader, rounded to so many digits, 1 to 17; NaN and infinity are "nan" and "inf" then. Returns `to`. */
const char *number_round (char to[NUMBER_SIZE], double value, int digits);

#pragma GCC visibility pop

#endif
