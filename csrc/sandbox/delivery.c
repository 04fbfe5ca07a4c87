#include "sandbox/delivery.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

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

/* The body of a response that is cut. */
struct cut {
  char *body; /* owned */
  size_t length;
};

static ssize_t read_cut (void *context, uint64_t position, char *buffer, size_t size) {
  const struct cut *cut = context;
  if (position >= cut->length) return MHD_CONTENT_READER_END_WITH_ERROR;
  size_t left = cut->length - (size_t)position;
  if (size > left) size = left;
  memcpy(buffer, cut->body + position, size);
  return (ssize_t)size;
}

static void free_cut (void *context) {
  struct cut *cut = context;
  free(cut->body);
  free(cut);
}

static struct MHD_Response *cut_response (struct answer *a) {
  struct cut *cut = malloc(sizeof *cut);
  if (cut == NULL) return NULL;
  *cut = (struct cut){a->body, a->cut_after};
  struct MHD_Response *response =
      MHD_create_response_from_callback(a->body_length, 4096, read_cut, cut, free_cut);
  if (response == NULL) free(cut);
  return response;
}

/* Takes ownership of the response's body. NULL: out of memory. */
static struct MHD_Response *create_response (struct answer *a) {
  struct MHD_Response *response =
      a->ending == ENDING_CUT && a->body_length > 0
          ? cut_response(a)
          : MHD_create_response_from_buffer(a->body_length, a->body, MHD_RESPMEM_MUST_FREE);
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
