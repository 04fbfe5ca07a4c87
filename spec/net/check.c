#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned passed, failed;
static size_t in_use;
static unsigned long fail_at, requests;
static bool fail_for_good, has_failed;

struct block {
  size_t size;
  max_align_t data[];
};

static bool must_fail (void) {
  requests++;
  bool fail = fail_at && (requests == fail_at || (fail_for_good && requests > fail_at));
  if (fail) has_failed = true;
  return fail;
}

static void *resize (void *ud, void *old, size_t old_size, size_t new_size) {
  struct block *block = old ? (struct block *)(void *)((char *)old - offsetof(struct block, data)) : NULL;
  (void)ud;
  if (block && block->size != old_size) {
    fprintf(stderr, "a block of %zu bytes was given back as %zu\n", block->size, old_size);
    abort();
  }
  if (new_size && must_fail()) return NULL;
  in_use += new_size - (block ? block->size : 0);
  struct block *moved =
      new_size ? malloc(sizeof *moved + new_size) : NULL; /* always moves: finds stale pointers */
  if (moved) moved->size = new_size;
  if (moved && block) memcpy(moved->data, block->data, old_size < new_size ? old_size : new_size);
  free(block);
  return moved ? moved->data : NULL;
}

const struct allocator checked_memory = {resize, NULL};

void check_fail_at (unsigned long n, bool for_good) {
  fail_at = n;
  fail_for_good = for_good;
  requests = 0;
  has_failed = false;
}

bool check_has_failed (void) {
  return has_failed;
}

bool check_that (bool holds, const char *what, const char *file, int line) {
  if (holds) {
    passed++;
    return true;
  }
  failed++;
  printf("%s:%d: does not hold: %s\n", file, line, what);
  return false;
}

bool check_text (const char *got, const char *expected, const char *file, int line) {
  if (got && strcmp(got, expected) == 0) {
    passed++;
    return true;
  }
  failed++;
  printf("%s:%d: got \"%s\", expected \"%s\"\n", file, line, got ? got : "(null)", expected);
  return false;
}

void check_group (const char *name, void (*run)(void)) {
  unsigned before = failed, held = passed;
  size_t used = in_use;
  run();
  CHECK(in_use == used);
  printf("%s %s (%u)\n", failed == before ? "ok  " : "FAIL", name, passed - held);
  fflush(stdout);
}

int check_summary (void) {
  printf("%u passed, %u failed\n", passed, failed);
  return failed ? 1 : 0;
}
