#include "net/headers.h"

#include "net/ascii.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct line {
  struct curl_slist link; /* first, so that a link is a line; its data is `text` */
  struct line *before;    /* borrowed: the previous line; NULL: it is the first */
  struct line *same;      /* borrowed: the next in its bucket of the index */
  size_t size;            /* of this block */
  size_t name_length;
  char text[];
};

/*
** libcurl searches its lines for some names, and formats each line byte by byte. All lines with other names
** are passed to it as one line, which costs a fifth.
*/
enum kind { LOOKED_FOR, PLAIN, KINDS };

struct header_list {
  const struct allocator *memory; /* borrowed */
  size_t references;
  struct curl_slist *lines[KINDS]; /* owned */
  struct line *last[KINDS];        /* borrowed; NULL: there is none */
  struct line **index; /* owned: hash table of the lines; NULL: a few lines are searched linearly */
  size_t buckets;      /* of the index: a power of two */
  size_t count;        /* of lines */
  struct line
      *joined; /* owned: the first line that libcurl searches for and all plain ones; NULL: not made */
};

static bool is (const char *name, size_t length, const char *known, size_t known_length) {
  return length == known_length && ascii_same_start(name, known, length);
}

#define IS(name, length, known) is(name, length, known, sizeof(known) - 1)

static enum kind kind_of (const char *name, size_t length) {
  bool plain = (length > 2 && name[1] == '-' && ascii_lower(name[0]) == 'x') ||
               IS(name, length, "Cache-Control") || IS(name, length, "Pragma") ||
               IS(name, length, "If-Modified-Since") || IS(name, length, "If-None-Match");
  return plain ? PLAIN : LOOKED_FOR;
}

size_t header_list_size (const struct header_list *list) {
  enum { OVERHEAD = 32 }; /* RFC 9113, 6.5.2 */
  size_t size = 0;
  for (int kind = 0; kind < KINDS; kind++)
    for (const struct curl_slist *link = list->lines[kind]; link; link = link->next)
      size += strlen(link->data) + OVERHEAD;
  return size;
}

/* RFC 9110, 5.6.2 */
bool header_is_name (const char *name, size_t length) {
  static const char marks[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < length; i++) {
    char c = name[i];
    if (!ascii_is_alnum(c) && c != '-' && (c == '\0' || !strchr(marks, c))) return false;
  }
  return length > 0;
}

bool header_is_value (const char *value, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (value[i] == '\r' || value[i] == '\n' || value[i] == '\0') return false;
  return true;
}

static bool is_blank (char c) {
  return c == ' ' || c == '\t';
}

static void trim (const char **text, size_t *length) {
  while (*length && is_blank((*text)[0]))
    ++*text, --*length;
  while (*length && is_blank((*text)[*length - 1]))
    --*length;
}

struct header_list *header_list_new (const struct allocator *memory) {
  struct header_list *list = memory_new(memory, sizeof *list);
  if (!list) return NULL;
  list->memory = memory;
  list->references = 1;
  return list;
}

static struct line *line_of (struct curl_slist *link) {
  return (struct line *)(void *)link;
}

static void free_line (const struct header_list *list, struct line *line) {
  memory_wipe_free(list->memory, line, line->size);
}

static struct line *new_line (const struct header_list *list, size_t text_size, size_t name_length) {
  struct line *line = memory_new(list->memory, sizeof *line + text_size);
  if (!line) return NULL;
  line->link.data = line->text;
  line->size = sizeof *line + text_size;
  line->name_length = name_length;
  return line;
}

/* The index */

enum { FEW_LINES = 16 };

/* FNV-1a, of the name in lower case. */
static size_t hash (const char *name, size_t length) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < length; i++)
    h = (h ^ (unsigned char)ascii_lower(name[i])) * 16777619u;
  return h;
}

static struct line **bucket_of (const struct header_list *list, const char *name, size_t length) {
  return &list->index[hash(name, length) & (list->buckets - 1)];
}

static void index_line (const struct header_list *list, struct line *line) {
  struct line **bucket = bucket_of(list, line->text, line->name_length);
  line->same = *bucket;
  *bucket = line;
}

static void drop_index (struct header_list *list) {
  memory_free(list->memory, list->index, list->buckets * sizeof *list->index);
  list->index = NULL;
  list->buckets = 0;
}

/* When memory runs out, the smaller index stays in use. */
static void grow_index (struct header_list *list) {
  size_t buckets = list->buckets ? 2 * list->buckets : (size_t)4 * FEW_LINES;
  struct line **index = memory_new(list->memory, buckets * sizeof *index);
  if (!index) return;
  drop_index(list);
  list->index = index;
  list->buckets = buckets;
  for (int kind = 0; kind < KINDS; kind++)
    for (struct curl_slist *link = list->lines[kind]; link; link = link->next)
      index_line(list, line_of(link));
}

static void unindex_line (const struct header_list *list, const struct line *line) {
  struct line **place;
  if (!list->index) return;
  place = bucket_of(list, line->text, line->name_length);
  while (*place != line)
    place = &(*place)->same;
  *place = line->same;
}

static bool has_name (const struct line *line, const char *name, size_t length) {
  return line->name_length == length && ascii_same_start(line->text, name, length);
}

/* The line of that name, or NULL. */
static struct line *find (const struct header_list *list, const char *name, size_t length) {
  struct line *line;
  if (list->index) {
    line = *bucket_of(list, name, length);
    while (line && !has_name(line, name, length))
      line = line->same;
  } else {
    line = line_of(list->lines[kind_of(name, length)]);
    while (line && !has_name(line, name, length))
      line = line_of(line->link.next);
  }
  return line;
}

/* Inserts the line between its neighbours, of which either may be missing. */
static void link_line (struct header_list *list, enum kind kind, struct line *line, struct line *before,
                       struct line *behind) {
  line->before = before;
  line->link.next = behind ? &behind->link : NULL;
  *(before ? &before->link.next : &list->lines[kind]) = &line->link;
  *(behind ? &behind->before : &list->last[kind]) = line;
  list->count++;
  if (list->index) index_line(list, line);
  if (list->count > FEW_LINES && list->count > list->buckets) grow_index(list);
}

/* Removes the line and frees it. */
static void drop_line (struct header_list *list, enum kind kind, struct line *line) {
  struct line *before = line->before, *behind = line_of(line->link.next);
  unindex_line(list, line);
  *(before ? &before->link.next : &list->lines[kind]) = line->link.next;
  *(behind ? &behind->before : &list->last[kind]) = before;
  list->count--;
  free_line(list, line);
}

static bool copy_lines (struct header_list *list, const struct header_list *from, enum kind kind) {
  for (struct curl_slist *link = from->lines[kind]; link; link = link->next) {
    size_t size = strlen(link->data) + 1;
    struct line *line = new_line(list, size, line_of(link)->name_length);
    if (!line) return false;
    memcpy(line->text, link->data, size);
    link_line(list, kind, line, list->last[kind], NULL);
  }
  return true;
}

struct header_list *header_list_copy (const struct header_list *from) {
  struct header_list *list = header_list_new(from->memory);
  if (!list) return NULL;
  if (copy_lines(list, from, LOOKED_FOR) && copy_lines(list, from, PLAIN)) return list;
  header_list_release(list);
  return NULL;
}

struct header_list *header_list_keep (struct header_list *list) {
  if (list) list->references++;
  return list;
}

static void forget_joined (struct header_list *list) {
  if (list->joined) free_line(list, list->joined);
  list->joined = NULL;
}

static void free_lines (const struct header_list *list, struct curl_slist *first) {
  while (first) {
    struct line *line = line_of(first);
    first = line->link.next;
    free_line(list, line);
  }
}

void header_list_release (struct header_list *list) {
  if (!list || --list->references > 0) return;
  forget_joined(list);
  free_lines(list, list->lines[LOOKED_FOR]);
  free_lines(list, list->lines[PLAIN]);
  drop_index(list);
  memory_free(list->memory, list, sizeof *list);
}

/* "Name: value", or "Name;", which libcurl sends as "Name:"; "Name:" alone would make it drop the header. */
static void write_line (struct line *line, const char *name, const char *value, size_t length) {
  char *to = line->text;
  memcpy(to, name, line->name_length);
  to += line->name_length;
  if (!length) {
    memcpy(to, ";", 2);
    return;
  }
  memcpy(to, ": ", 2);
  memcpy(to + 2, value, length);
  to[2 + length] = '\0';
}

enum header_result header_list_set (struct header_list *list, const char *name, size_t name_length,
                                    const char *value, size_t value_length) {
  assert(list->references == 1);
  if (!header_is_name(name, name_length)) return HEADER_BAD_NAME;
  if (!header_is_value(value, value_length)) return HEADER_BAD_VALUE;
  trim(&value, &value_length);
  struct line *line = new_line(list, name_length + value_length + sizeof ": ", name_length);
  if (!line) return HEADER_NO_MEMORY;
  write_line(line, name, value, value_length);
  forget_joined(list);
  enum kind kind = kind_of(name, name_length);
  struct line *old = find(list, name, name_length);
  link_line(list, kind, line, old ? old : list->last[kind], old ? line_of(old->link.next) : NULL);
  if (old) drop_line(list, kind, old);
  return HEADER_OK;
}

void header_list_remove (struct header_list *list, const char *name, size_t name_length) {
  assert(list->references == 1);
  struct line *old = find(list, name, name_length);
  if (!old) return;
  forget_joined(list);
  drop_line(list, kind_of(name, name_length), old);
}

const char *header_list_value (const struct header_list *list, const char *name) {
  size_t length = strlen(name);
  const struct line *line = find(list, name, length);
  if (!line) return NULL;
  return line->text[length] == ':' ? line->text + length + 2 : "";
}

bool header_list_has (const struct header_list *list, const char *name) {
  return header_list_value(list, name) != NULL;
}

static bool equal_lines (const struct curl_slist *a, const struct curl_slist *b) {
  for (; a && b; a = a->next, b = b->next)
    if (strcmp(a->data, b->data) != 0) return false;
  return !a && !b;
}

bool header_list_equal (const struct header_list *a, const struct header_list *b) {
  return equal_lines(a->lines[LOOKED_FOR], b->lines[LOOKED_FOR]) &&
         equal_lines(a->lines[PLAIN], b->lines[PLAIN]);
}

/*
** Appends the line to `to` at `at`, after a line break if it is not the first, and returns the new end. A
** line that libcurl would rewrite is written as it is sent.
*/
static size_t add_text (char *to, size_t at, const struct curl_slist *line) {
  size_t length = strlen(line->data), name = line_of((struct curl_slist *)line)->name_length;
  if (at) {
    to[at++] = '\r';
    to[at++] = '\n';
  }
  memcpy(to + at, line->data, length + 1);
  if (line->data[name] == ';') to[at + name] = ':';
  return at + length;
}

static struct line *join (const struct header_list *list, const struct curl_slist *first) {
  const struct curl_slist *plain = list->lines[PLAIN], *link;
  size_t size = first ? strlen(first->data) + 2 : 0, at = 0;
  for (link = plain; link; link = link->next)
    size += strlen(link->data) + 2;
  struct line *joined = new_line(list, size + 1, 0);
  if (!joined) return NULL;
  if (first) at = add_text(joined->text, at, first);
  for (link = plain; link; link = link->next)
    at = add_text(joined->text, at, link);
  joined->link.next = first ? first->next : NULL;
  return joined;
}

bool header_list_lines (struct header_list *list, struct curl_slist **lines) {
  struct curl_slist *first = list->lines[LOOKED_FOR], *plain = list->lines[PLAIN];
  bool alone = !plain || (!first && !plain->next);
  if (!alone && !list->joined) list->joined = join(list, first);
  if (!alone && !list->joined) return false;
  *lines = list->joined ? &list->joined->link : plain ? plain : first;
  return true;
}

/* The length of the block's line at *at, without its end; *at moves to the next one. */
static size_t next_line (const char *block, size_t length, size_t *at) {
  const char *start = block + *at, *feed = memchr(start, '\n', length - *at);
  size_t size = feed ? (size_t)(feed - start) : length - *at;
  *at += feed ? size + 1 : size;
  if (size && start[size - 1] == '\r') size--;
  return size;
}

bool header_next (const char *block, size_t length, size_t *at, struct header_line *line) {
  while (*at < length) {
    const char *start = block + *at;
    size_t size = next_line(block, length, at);
    const char *colon = size ? memchr(start, ':', size) : NULL;
    if (!colon || !header_is_name(start, (size_t)(colon - start))) continue;
    line->name = start;
    line->name_length = (size_t)(colon - start);
    line->value = colon + 1;
    line->value_length = size - line->name_length - 1;
    trim(&line->value, &line->value_length);
    return true;
  }
  return false;
}

/* Compares the first bytes of a line first: most lines differ there. */
bool header_find (const char *block, size_t length, const char *name, struct header_line *line) {
  size_t at = 0, name_length = strlen(name);
  while (at < length) {
    const char *start = block + at, *feed;
    if (length - at > name_length && start[name_length] == ':' &&
        ascii_same_start(start, name, name_length) && header_next(block, length, &at, line))
      return true;
    feed = memchr(start, '\n', length - at);
    if (!feed) return false;
    at = (size_t)(feed - block) + 1;
  }
  return false;
}
