#include "net/stream.h"

#include <stdlib.h>
#include <string.h>

/* True if libcurl logs that a stream was reset with REFUSED_STREAM: 8.19 and later. */
static bool logs_refusals (void) {
  return curl_version_info(CURLVERSION_NOW)->version_num >= 0x081300;
}

void stream_begin (struct stream *s, int port) {
  *s = (struct stream){.port = port};
}

bool stream_was_refused (struct stream *s, struct sockets *sockets) {
  long last = sockets_last_stream(sockets, s->port);
  s->refused = s->refused || (s->id > 0 && last >= 0 && s->id > last);
  return s->refused;
}

/*
** libcurl retries after a kept connection broke, and after a refusal. Before 8.19 the two differ only by an
** error in the log before the first, or by the connection's end. Later log lines may belong to another
** connection.
*/
static void note_retry (struct stream *s, struct sockets *sockets) {
  if (!stream_was_refused(s, sockets) && !logs_refusals())
    s->refused = s->id > 0 && s->silent && sockets_is_open(sockets, s->port);
  s->port = 0;
}

static void note_opening (struct stream *s, long id) {
  s->id = id;
  s->silent = true;
}

static bool begins (const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

static bool is_harmless (const char *text) {
  return begins(text, "[HTTP/2] [") || begins(text, "We are completely uploaded") ||
         begins(text, "upload completely sent off") || begins(text, "Request completely sent off");
}

static bool is_refusal (const char *text) {
  if (begins(text, "REFUSED_STREAM, retrying")) return true;
  return begins(text, "HTTP/2 stream ") && strstr(text, " refused by server, try again");
}

/* Reads the number between `words` and `end`. False: the text does not hold them. */
static bool read_number (const char *text, const char *words, const char *end, long *number) {
  const char *at = strstr(text, words);
  char *rest;
  if (!at) return false;
  at += strlen(words);
  *number = strtol(at, &rest, 10);
  return rest > at && begins(rest, end);
}

static bool read_last_stream (const char *text, long *last) {
  bool goaway = begins(text, "recveived GOAWAY, ") || begins(text, "received GOAWAY, ");
  return goaway && read_number(text, ", last_stream=", "", last);
}

static bool read_id (const char *text, long *id) {
  if (begins(text, "Using Stream ID: ")) return read_number(text, "Using Stream ID: ", "", id);
  return begins(text, "[HTTP/2] [") && read_number(text, "[HTTP/2] [", "] OPENED stream for ", id);
}

static void note_line (struct stream *s, struct sockets *sockets, const char *text) {
  long number;
  if (read_id(text, &number))
    note_opening(s, number);
  else if (begins(text, "Connection died, "))
    note_retry(s, sockets);
  else if (is_refusal(text))
    s->refused = true;
  else if (read_last_stream(text, &number))
    sockets_note_goaway(sockets, s->port, number);
  else if (!is_harmless(text))
    s->silent = false;
}

void stream_note (struct stream *s, struct sockets *sockets, const char *text, size_t length) {
  char line[160]; /* relevant lines are shorter */
  size_t kept = length < sizeof line ? length : sizeof line - 1;
  memcpy(line, text, kept);
  line[kept] = '\0';
  note_line(s, sockets, line);
}
