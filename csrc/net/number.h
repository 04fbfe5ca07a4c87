/* number: writes a number as text that is the same in every locale. Owns nothing. */
#ifndef NET_NUMBER_H
#define NET_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

enum { NUMBER_SIZE = 32 }; /* of the longest text, including its NUL */

/*
** Writes a text of few digits that reads back as the same number, and returns its length. Whole numbers below
** 1e21 have all their digits, so that they can be read as integers too. Others are plain from 1e-6 to 1e21,
** else with an exponent, as in JavaScript. NaN and infinity, which no service accepts, give "" and 0.
*/
size_t number_write (char to[NUMBER_SIZE], double value);

/* The same for an integer. */
size_t number_write_integer (char to[NUMBER_SIZE], long long n);

/* True if a text of so many digits, 1 to 17, reads back as the same finite number. */
bool number_fits (double value, int digits);

/* For people: rounded to 1 to 17 digits; NaN and infinity are "nan" and "inf". Returns `to`. */
const char *number_round (char to[NUMBER_SIZE], double value, int digits);

#pragma GCC visibility pop

#endif
