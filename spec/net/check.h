/*
** check: counts checks that pass and fail, and provides an allocator that checks its users: sizes must match,
** all memory must be freed, and a request can be made to fail.
*/
#ifndef NET_SPEC_CHECK_H
#define NET_SPEC_CHECK_H

#include "net/allocator.h"

#include <stdbool.h>

#define CHECK(what) check_that((what), #what, __FILE__, __LINE__)

bool check_that (bool holds, const char *what, const char *file, int line); /* prints a failed check */
bool check_text (const char *got, const char *expected, const char *file, int line);
#define CHECK_TEXT(got, expected) check_text((got), (expected), __FILE__, __LINE__)

void check_group (const char *name,
                  void (*run)(void)); /* prints one line; checks that all memory was freed */
int check_summary (void);             /* the exit code */

extern const struct allocator checked_memory;

/*
** From now on, the n-th request for memory fails (1: the next one), and with `for_good` all after it; 0:
** none.
*/
void check_fail_at (unsigned long n, bool for_good);
bool check_has_failed (void); /* since check_fail_at */

#endif
