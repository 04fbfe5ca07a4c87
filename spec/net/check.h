/*
** check: counts what held and what did not, and hands out memory that watches its users: sizes must match,
** all must come back, and a request can be made to fail.
*/
#ifndef NET_SPEC_CHECK_H
#define NET_SPEC_CHECK_H

#include "net/allocator.h"

#include <stdbool.h>

#define CHECK(what) check_that((what), #what, __FILE__, __LINE__)

bool check_that (bool holds, const char *what, const char *file, int line); /* prints what does not hold */
bool check_text (const char *got, const char *expected, const char *file, int line);
#define CHECK_TEXT(got, expected) check_text((got), (expected), __FILE__, __LINE__)

void check_group (const char *name,
                  void (*run)(void)); /* prints one line; checks that all memory came back */
int check_summary (void);             /* the exit code */

extern const struct allocator checked_memory;

/* From now on, the n-th request for memory fails (1: the next), and with `for_good` all after it; 0: none. */
void check_fail_at (unsigned long n, bool for_good);
bool check_has_failed (void); /* since check_fail_at */

#endif
