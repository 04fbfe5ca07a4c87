#include "net/upload.h"

#include "net/curl_failure.h"
#include "net/exchange_internal.h"
#include "net/system.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* A pipe without a writer must not hold the step up. */
enum { OPENING = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_BINARY };

const char upload_spent_hint[] =
    "the body comes from a function, so it could not be sent again: give it a function rewind";

struct upload *upload_new (const struct allocator *memory, enum upload_kind kind, long long size) {
  struct upload *u = memory_new(memory, sizeof *u);
  if (!u) return NULL;
  u->memory = *memory;
  u->kind = kind;
  u->size = size;
  return u;
}

static void close_file (struct upload_part *part) {
  if (part->file >= 0) close(part->file);
  part->file = -1;
}

void upload_end (struct upload *u) {
  for (struct upload_part *part = u->first; part; part = part->next)
    close_file(part);
}

void upload_free (struct upload *u) {
  if (!u) return;
  upload_end(u);
  while (u->first) {
    struct upload_part *part = u->first;
    u->first = part->next;
    memory_wipe_free(&u->memory, part, sizeof *part + part->capacity);
  }
  struct allocator memory = u->memory;
  memory_free(&memory, u, sizeof *u);
}

static size_t room_of (const char *text) {
  return text ? strlen(text) + 1 : 0;
}

static const char *copy (char **free, const char *text, size_t length) {
  char *at = *free;
  if (!text) return NULL;
  memcpy(at, text, length);
  *free += length;
  return at;
}

bool upload_add (struct upload *u, const struct upload_part *given) {
  size_t capacity = room_of(given->name) + room_of(given->path) + room_of(given->filename) +
                    room_of(given->type) + given->data_length;
  struct upload_part *part = memory_new(&u->memory, sizeof *part + capacity);
  if (!part) return false;
  char *free = part->texts;
  part->capacity = capacity;
  part->upload = u;
  part->file = -1;
  part->size = -1;
  part->name = copy(&free, given->name, room_of(given->name));
  part->path = copy(&free, given->path, room_of(given->path));
  part->filename = copy(&free, given->filename, room_of(given->filename));
  part->type = copy(&free, given->type, room_of(given->type));
  part->data = copy(&free, given->data, given->data_length);
  part->data_length = given->data_length;
  if (u->last)
    u->last->next = part;
  else
    u->first = part;
  u->last = part;
  return true;
}

bool upload_can_begin (const struct upload *u) {
  return u->kind != UPLOAD_PIECES || u->repeatable || !u->asked;
}

long long upload_size (const struct upload *u) {
  long long size = u->kind == UPLOAD_FILE ? u->first->size : u->kind == UPLOAD_PIECES ? u->size : -1;
  return size < 0 ? LLONG_MAX : size;
}

static CURLcode fail (const struct upload_part *part, const char *why) {
  curl_failure_note(part->upload->exchange, FAILURE_FILE, NULL, "cannot read '%s': %s", part->path, why);
  return CURLE_READ_ERROR;
}

static CURLcode open_file (struct upload_part *part) {
  struct stat status;
  close_file(part);
  part->file = system_open(part->path, OPENING, 0);
  if (part->file < 0 || fstat(part->file, &status) != 0) return fail(part, strerror(errno));
  if (!S_ISREG(status.st_mode)) return fail(part, "it is no regular file");
  part->size = part->left = (long long)status.st_size;
  return CURLE_OK;
}

static size_t read_file (struct upload_part *part, char *to, size_t room) {
  if ((long long)room > part->left) room = (size_t)part->left;
  if (!room) return 0;
  ssize_t count = system_read(part->file, to, room);
  if (count <= 0) {
    fail(part, count < 0 ? strerror(errno) : "it became shorter while it was sent");
    return CURL_READFUNC_ABORT;
  }
  part->left -= count;
  return (size_t)count;
}

bool upload_wants (const struct upload *u) {
  return !u->ended && u->count < UPLOAD_MOST_PIECES && u->waiting < UPLOAD_ENOUGH;
}

unsigned upload_next_place (const struct upload *u) {
  return (u->oldest + u->count) % UPLOAD_MOST_PIECES;
}

void upload_add_piece (struct upload *u, const char *text, size_t length, bool last) {
  u->ended = last;
  if (!length) return;
  u->pieces[upload_next_place(u)] = (struct upload_piece){text, length};
  u->count++;
  u->waiting += length;
}

/* Takes bytes of the first piece. */
static size_t take (struct upload *u, char *to, size_t room) {
  struct upload_piece *piece = &u->pieces[u->oldest];
  if (room > piece->left) room = piece->left;
  memcpy(to, piece->text, room);
  piece->text += room;
  piece->left -= room;
  u->waiting -= room;
  if (piece->left) return room;
  u->oldest = (u->oldest + 1) % UPLOAD_MOST_PIECES;
  u->count--;
  return room;
}

/* The owner is asked in time, since libcurl takes long to pause and to go on. */
static size_t read_pieces (struct upload *u, char *to, size_t room) {
  struct exchange_run *run = u->exchange->run;
  size_t taken = 0;
  while (taken < room && u->count)
    taken += take(u, to + taken, room - taken);
  u->taken += (long long)taken;
  if (upload_wants(u) && !run->calls->ask(u->exchange)) return CURL_READFUNC_ABORT;
  if (taken || u->ended) return taken;
  run->starved = true;
  return CURL_READFUNC_PAUSE;
}

static void restart_pieces (struct upload *u) {
  u->restart = u->restart || u->asked;
  u->oldest = u->count = 0;
  u->waiting = 0;
  u->taken = 0;
  u->ended = false;
}

/* libcurl's functions: see CURLOPT_READFUNCTION, CURLOPT_SEEKFUNCTION, curl_mime_data_cb. */

static size_t on_read (char *to, size_t size, size_t count, void *ud) {
  struct upload *u = ud;
  return u->kind == UPLOAD_FILE ? read_file(u->first, to, size * count) : read_pieces(u, to, size * count);
}

static int rewind_file (struct upload_part *part) {
  if (lseek(part->file, 0, SEEK_SET) != 0) return CURL_SEEKFUNC_FAIL;
  part->left = part->size;
  return CURL_SEEKFUNC_OK;
}

/* libcurl sends the request again, on a new connection. It only ever goes back to the first byte. */
static int on_seek (void *ud, curl_off_t offset, int origin) {
  struct upload *u = ud;
  (void)offset, (void)origin;
  if (u->kind == UPLOAD_FILE) return rewind_file(u->first);
  if (!upload_can_begin(u)) {
    exchange_note_spent(u->exchange);
    return CURL_SEEKFUNC_FAIL;
  }
  restart_pieces(u);
  return CURL_SEEKFUNC_OK;
}

static size_t on_read_part (char *to, size_t size, size_t count, void *ud) {
  return read_file(ud, to, size * count);
}

static int on_seek_part (void *ud, curl_off_t offset, int origin) {
  (void)offset, (void)origin;
  return rewind_file(ud);
}

static CURLcode add_part (curl_mime *mime, struct upload_part *part) {
  curl_mimepart *to = curl_mime_addpart(mime);
  CURLcode code = to ? curl_mime_name(to, part->name) : CURLE_OUT_OF_MEMORY;
  if (!code && part->filename) code = curl_mime_filename(to, part->filename);
  if (!code && part->type) code = curl_mime_type(to, part->type);
  if (!code && part->data) code = curl_mime_data(to, part->data, part->data_length);
  if (!code && part->path) code = open_file(part);
  if (!code && part->path)
    code = curl_mime_data_cb(to, (curl_off_t)part->size, on_read_part, on_seek_part, NULL, part);
  return code;
}

static CURLcode begin_form (struct upload *u, CURL *easy, curl_mime **mime) {
  CURLcode code = CURLE_OK;
  *mime = curl_mime_init(easy);
  if (!*mime) return CURLE_OUT_OF_MEMORY;
  for (struct upload_part *part = u->first; part && !code; part = part->next)
    code = add_part(*mime, part);
  return code ? code : curl_easy_setopt(easy, CURLOPT_MIMEPOST, *mime);
}

static CURLcode begin_stream (struct upload *u, CURL *easy) {
  CURLcode code = CURLE_OK;
  if (u->kind == UPLOAD_FILE)
    code = open_file(u->first);
  else {
    restart_pieces(u);
    u->exchange->run->starved = false;
  }
  curl_off_t size = upload_size(u) == LLONG_MAX ? -1 : (curl_off_t)upload_size(u);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_READDATA, (void *)u);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
  return code ? code : curl_easy_setopt(easy, CURLOPT_SEEKDATA, (void *)u);
}

CURLcode upload_begin (struct upload *u, struct exchange *x, CURL *easy, curl_mime **mime) {
  u->exchange = x;
  *mime = NULL;
  return u->kind == UPLOAD_FORM ? begin_form(u, easy, mime) : begin_stream(u, easy);
}
