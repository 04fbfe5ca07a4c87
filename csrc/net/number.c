#include "net/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIGITS = 17, SURE_DIGITS = 15, LARGEST_PLAIN = 21, SMALLEST_PLAIN = -6 };
enum { MILLIONTHS_DIGITS = 14, PLACES = 6 }; /* of n / 10^6, in `millionths` */

static const double MILLION = 1e6;

/* Digits d1 d2 d3 ... and an exponent: the value is 0.d1d2d3... * 10^point. */
struct decimal {
  char digits[MOST_DIGITS + 1];
  int count, point;
  bool negative;
};

/*
** Reads what snprintf wrote, with the locale's decimal point of any length. False: it does not read back as
** the same value.
*/
static bool take_apart (struct decimal *d, double value, int digits) {
  char text[64], *p = text;
  snprintf(text, sizeof text, "%.*e", digits - 1, value);
  d->count = 0;
  d->digits[0] = '0';
  d->negative = *p == '-';
  for (; *p && *p != 'e'; p++)
    if (*p >= '0' && *p <= '9' && d->count < MOST_DIGITS) d->digits[d->count++] = *p;
  d->point = *p ? (int)strtol(p + 1, NULL, 10) + 1 : 1;
  while (d->count > 1 && d->digits[d->count - 1] == '0')
    d->count--;
  return strtod(text, NULL) == value;
}

/*
** The double is the one nearest to n / 10^6, with an integer n of at most 14 digits: most prices and amounts
** are. Returns n without its sign; negative: it is another one.
*/
static long long millionths (double value) {
  double scaled = fabs(value) * MILLION;
  if (!(scaled < 1e14) || floor(scaled) != scaled || scaled / MILLION != fabs(value)) return -1;
  return (long long)scaled;
}

bool number_fits (double value, int digits) {
  struct decimal d;
  return (digits >= MILLIONTHS_DIGITS && millionths(value) >= 0) || take_apart(&d, value, digits);
}

/* False: a number that `millionths` does not know, or 0. */
static bool take_short (struct decimal *d, double value) {
  long long all = millionths(value), n;
  int i, length = 0;
  for (n = all; n > 0; n /= 10)
    length++;
  for (n = all, i = length; i; n /= 10)
    d->digits[--i] = (char)('0' + n % 10);
  d->negative = value < 0;
  d->point = length - PLACES;
  while (length > 1 && d->digits[length - 1] == '0')
    length--;
  d->count = length;
  return length > 0;
}

/* Appends `n` times the character. */
static char *fill (char *to, char c, int n) {
  for (; n > 0; n--)
    *to++ = c;
  return to;
}

static char *copy (char *to, const char *digits, int n) {
  memcpy(to, digits, (size_t)n);
  return to + n;
}

static char *write_plain (char *to, const struct decimal *d) {
  int before = d->point < d->count ? d->point : d->count;
  if (d->point <= 0) {
    to = copy(to, "0.", 2);
    to = fill(to, '0', -d->point);
    return copy(to, d->digits, d->count);
  }
  to = copy(to, d->digits, before);
  to = fill(to, '0', d->point - before);
  if (before == d->count) return to;
  *to++ = '.';
  return copy(to, d->digits + before, d->count - before);
}

static char *write_exponent (char *to, const struct decimal *d) {
  *to++ = d->digits[0];
  if (d->count > 1) {
    *to++ = '.';
    to = copy(to, d->digits + 1, d->count - 1);
  }
  return to + snprintf(to, 8, "e%+d", d->point - 1);
}

static size_t write_decimal (char *to, const struct decimal *d) {
  char *end = to;
  if (d->digits[0] == '0') {
    memcpy(to, "0", 2);
    return 1;
  }
  if (d->negative) *end++ = '-';
  end = d->point > SMALLEST_PLAIN && d->point <= LARGEST_PLAIN ? write_plain(end, d) : write_exponent(end, d);
  *end = 0;
  return (size_t)(end - to);
}

/* True for a whole number below 1e21. From 2^53 on every number is whole. */
static bool is_whole (double value) {
  static const double largest_fraction = 9007199254740992.0;
  if (value >= 1e21 || value <= -1e21) return false;
  if (value >= largest_fraction || value <= -largest_fraction) return true;
  return (double)(long long)value == value;
}

size_t number_write_integer (char to[NUMBER_SIZE], long long n) {
  char reversed[NUMBER_SIZE];
  size_t length = 0, at = 0;
  unsigned long long rest = n < 0 ? 0u - (unsigned long long)n : (unsigned long long)n;
  do
    reversed[length++] = (char)('0' + rest % 10);
  while ((rest /= 10));
  if (n < 0) to[at++] = '-';
  while (length)
    to[at++] = reversed[--length];
  to[at] = 0;
  return at;
}

size_t number_write (char to[NUMBER_SIZE], double value) {
  struct decimal d;
  int digits = SURE_DIGITS;
  *to = 0;
  if (!isfinite(value)) return 0;
  if (is_whole(value)) return (size_t)snprintf(to, NUMBER_SIZE, "%.0f", value < 0 || value > 0 ? value : 0.0);
  if (take_short(&d, value)) return write_decimal(to, &d);
  while (!take_apart(&d, value, digits) && digits < MOST_DIGITS)
    digits++;
  return write_decimal(to, &d);
}

const char *number_round (char to[NUMBER_SIZE], double value, int digits) {
  struct decimal d;
  if (!isfinite(value)) {
    snprintf(to, NUMBER_SIZE, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
    return to;
  }
  take_apart(&d, value, digits);
  write_decimal(to, &d);
  return to;
}
