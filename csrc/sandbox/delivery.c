#include "sandbox/delivery.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SOURCE_BLOCK ((size_t)64 * 1024) /* bytes of a body that is not in one piece, for each read */

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* the connections' threads block all signals anyway */
#endif

static int socket_of (struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info != NULL ? info->connect_fd : -1;
}

/*
** With SO_LINGER at 0 close() resets the connection, but the daemon shuts it down first, and the client might
** see that orderly end. connect() to AF_UNSPEC resets it at once, on systems that can.
*/
static void reset (int fd) {
  const struct linger at_once = {1, 0};
  const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  (void)connect(fd, &nobody, sizeof nobody);
}

/* False: the connection has ended. A stop of the server shuts the socket down, which ends the wait. */
/* GCOVR_EXCL_START: whether the system takes an answer at once depends on how fast it is read */
static bool await_writable (int fd) {
  struct pollfd p = {fd, POLLOUT, 0};
  while (poll(&p, 1, -1) < 0)
    if (errno != EINTR) return false;
  return (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}
/* GCOVR_EXCL_STOP */

static void send_raw (int fd, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent > 0) {
      bytes += sent;
      length -= (size_t)sent;
    } else if (errno != EINTR && ((errno != EAGAIN && errno != EWOULDBLOCK) || !await_writable(fd))) {
      return;
    }
  }
}

/* The body of a response that is cut, or that repeats. */
struct source {
  char *body; /* owned */
  size_t length;
  uint64_t end; /* bytes to send, the repeated ones included */
};

static ssize_t read_source (void *context, uint64_t position, char *buffer, size_t size) {
  const struct source *source = context;
  if (position >= source->end) return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t from = (size_t)(position % source->length);
  size_t left = source->length - from;
  if (left > source->end - position) left = (size_t)(source->end - position);
  if (size > left) size = left;
  memcpy(buffer, source->body + from, size);
  return (ssize_t)size;
}

static void free_source (void *context) {
  struct source *source = context;
  free(source->body);
  free(source);
}

static struct MHD_Response *source_response (struct answer *a) {
  struct source *source = malloc(sizeof *source);
  if (source == NULL) return NULL;
  *source = (struct source){a->body, a->body_length, a->ending == ENDING_CUT ? a->cut_after : a->size};
  struct MHD_Response *response =
      MHD_create_response_from_callback(a->size, SOURCE_BLOCK, read_source, source, free_source);
  if (response == NULL) free(source);
  return response;
}

/* Takes ownership of the response's body. NULL: out of memory. */
static struct MHD_Response *create_response (struct answer *a) {
  bool plain = a->body_length == 0 || (a->ending != ENDING_CUT && a->size == a->body_length);
  struct MHD_Response *response =
      plain ? MHD_create_response_from_buffer(a->body_length, a->body, MHD_RESPMEM_MUST_FREE)
            : source_response(a);
  if (response != NULL) a->body = NULL;
  return response;
}

static bool add_headers (struct MHD_Response *response, const struct answer *a) {
  for (size_t i = 0; i < a->headers.count; i++) {
    const struct field *f = &a->headers.items[i];
    if (MHD_add_response_header(response, f->name, f->value) != MHD_YES) return false;
  }
  return true;
}

static enum MHD_Result queue (struct MHD_Connection *connection, struct answer *a) {
  struct MHD_Response *response = create_response(a);
  if (response == NULL) return MHD_NO;
  enum MHD_Result result = MHD_NO;
  if (add_headers(response, a)) result = MHD_queue_response(connection, a->status, response);
  MHD_destroy_response(response);
  return result;
}

enum MHD_Result delivery_send (struct MHD_Connection *connection, struct answer *answer) {
  switch (answer->ending) {
  case ENDING_CLOSE: return MHD_NO;
  case ENDING_RESET: reset(socket_of(connection)); return MHD_NO;
  case ENDING_RAW: send_raw(socket_of(connection), answer->body, answer->body_length); return MHD_NO;
  case ENDING_WHOLE:
  case ENDING_CUT: break;
  }
  return queue(connection, answer);
}
