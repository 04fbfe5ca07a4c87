#include "sandbox/message.h"

#include <stdlib.h>
#include <string.h>

struct request *request_new (const char *uri, size_t body_limit) {
  struct request *r = calloc(1, sizeof *r);
  if (r == NULL) return NULL;
  r->body_limit = body_limit;
  r->uri = strdup(uri);
  if (r->uri == NULL) {
    /* GCOVR_EXCL_START: out of memory, which the torture never lets the sandbox be */
    free(r);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  return r;
}

static void fields_cleanup (struct fields *f) {
  for (size_t i = 0; i < f->count; i++) {
    free(f->items[i].name);
    free(f->items[i].value);
  }
  free(f->items);
}

void request_free (struct request *r) {
  if (r == NULL) return;
  free(r->method);
  free(r->uri);
  free(r->user);
  free(r->password);
  fields_cleanup(&r->headers);
  free(r->body);
  free(r);
}

static void drop_body (struct request *r) {
  free(r->body);
  r->body = NULL;
  r->body_length = r->body_capacity = 0;
}

bool request_add_body (struct request *r, const char *data, size_t length) {
  r->size += length;
  if (r->too_big) return true;
  if (length > r->body_limit - r->body_length) {
    drop_body(r);
    r->too_big = true;
    return true;
  }
  size_t needed = r->body_length + length;
  if (needed > r->body_capacity) {
    size_t capacity = needed < r->body_limit / 2 ? needed * 2 : r->body_limit;
    char *grown = realloc(r->body, capacity);
    if (grown == NULL) return false;
    r->body = grown;
    r->body_capacity = capacity;
  }
  if (length > 0) memcpy(r->body + r->body_length, data, length);
  r->body_length = needed;
  return true;
}

static bool fields_reserve (struct fields *f) {
  if (f->count < f->capacity) return true;
  size_t capacity = f->capacity == 0 ? 16 : f->capacity * 2;
  struct field *grown = realloc(f->items, capacity * sizeof *grown);
  if (grown == NULL) return false;
  f->items = grown;
  f->capacity = capacity;
  return true;
}

bool fields_add (struct fields *f, const char *name, const char *value) {
  if (!fields_reserve(f)) return false;
  struct field field = {strdup(name), strdup(value)};
  if (field.name == NULL || field.value == NULL) {
    /* GCOVR_EXCL_START: out of memory, which the torture never lets the sandbox be */
    free(field.name);
    free(field.value);
    return false;
    /* GCOVR_EXCL_STOP */
  }
  f->items[f->count++] = field;
  return true;
}

void answer_init (struct answer *a) {
  memset(a, 0, sizeof *a);
}

void answer_cleanup (struct answer *a) {
  fields_cleanup(&a->headers);
  free(a->body);
  answer_init(a);
}

bool answer_set_body (struct answer *a, const char *data, size_t length) {
  free(a->body);
  a->body = NULL;
  a->body_length = 0;
  a->size = 0;
  if (length == 0) return true;
  a->body = malloc(length);
  if (a->body == NULL) return false;
  memcpy(a->body, data, length);
  a->body_length = length;
  a->size = length;
  return true;
}

void answer_set_text (struct answer *a, unsigned status, const char *text) {
  answer_cleanup(a);
  a->status = status;
  (void)answer_set_body(a, text, strlen(text));
  (void)fields_add(&a->headers, "Content-Type",
                   "text/plain; charset=utf-8"); /* without it the answer is still valid */
}
