#include "net/sockets.h"

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/socket.h>
#endif

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__linux__) && defined(__has_include)
#if __has_include(<linux/tcp.h>)
#include <linux/tcp.h>
#define COUNTS_BYTES
#endif
#endif

void sockets_init (struct sockets *s, const struct allocator *memory) {
  *s = (struct sockets){.memory = memory};
}

static size_t size_of (size_t capacity) {
  return capacity * sizeof(struct open_socket);
}

void sockets_cleanup (struct sockets *s) {
  memory_free(s->memory, s->items, size_of(s->capacity));
  sockets_init(s, s->memory);
}

static bool has_room (struct sockets *s) {
  if (s->count < s->capacity) return true;
  size_t capacity = s->capacity ? s->capacity * 2 : 8;
  struct open_socket *items = memory_resize(s->memory, s->items, size_of(s->capacity), size_of(capacity));
  if (!items) return false;
  s->items = items;
  s->capacity = capacity;
  return true;
}

void sockets_remove (struct sockets *s, curl_socket_t fd) {
  for (size_t i = s->count; i-- > 0;)
    if (s->items[i].fd == fd) s->items[i] = s->items[--s->count];
}

/* Removes an entry of that number first: libcurl may have closed its socket without a callback. */
void sockets_add (struct sockets *s, curl_socket_t fd) {
  sockets_remove(s, fd);
  if (has_room(s)) s->items[s->count++] = (struct open_socket){fd, 0, false, -1};
}

static int own_port (curl_socket_t fd) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {.any = {.sa_family = AF_UNSPEC}};
  socklen_t size = sizeof address;
  if (getsockname(fd, &address.any, &size)) return 0;
  return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* NULL: none, or not known: connections to two servers may have the same local port. */
static struct open_socket *find (struct sockets *s, int port) {
  struct open_socket *found = NULL;
  for (size_t i = 0; i < s->count; i++) {
    struct open_socket *o = &s->items[i];
    if (!o->port) o->port = own_port(o->fd);
    if (o->port != port) continue;
    if (found) return NULL;
    found = o;
  }
  return found;
}

/* Bytes received by the socket in its life; SIZE_MAX: not known. */
static size_t bytes_of (curl_socket_t fd) {
#ifdef COUNTS_BYTES
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) &&
      size >= offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
    return (size_t)info.tcpi_bytes_received;
#else
  (void)fd;
#endif
  return SIZE_MAX; /* GCOVR_EXCL_LINE: the kernel counts the bytes of every TCP socket */
}

/* The system gives the port of a closed connection to another one: only the latest counts. */
static void keep_last_stream (struct sockets *s, int port, long last) {
  for (size_t i = 0; i < sizeof s->ended / sizeof *s->ended; i++)
    if (s->ended[i].port == port) s->ended[i].port = 0;
  if (last < 0) return;
  s->latest = (s->latest + 1) % (sizeof s->ended / sizeof *s->ended);
  s->ended[s->latest] = (struct ended_socket){port, last};
}

void sockets_note_end (struct sockets *s, curl_socket_t fd) {
  s->closed_port = own_port(fd);
  s->received = bytes_of(fd);
  for (size_t i = 0; i < s->count; i++)
    if (s->items[i].fd == fd) keep_last_stream(s, s->closed_port, s->items[i].last_stream);
}

size_t sockets_received (const struct sockets *s, int port) {
  return port && s->closed_port == port ? s->received : SIZE_MAX;
}

void sockets_set_quiet (struct sockets *s, int port) {
  struct open_socket *o = find(s, port);
  if (o) o->quiet = true;
}

void sockets_note_goaway (struct sockets *s, int port, long last) {
  struct open_socket *o = port ? find(s, port) : NULL;
  if (o && (o->last_stream < 0 || last < o->last_stream)) o->last_stream = last;
}

long sockets_last_stream (struct sockets *s, int port) {
  const struct open_socket *o = port ? find(s, port) : NULL;
  if (!port) return -1;
  if (o) return o->last_stream;
  for (size_t i = 0; i < sizeof s->ended / sizeof *s->ended; i++)
    if (s->ended[i].port == port) return s->ended[i].last_stream;
  return -1;
}

enum state { SILENT, HAS_INPUT, CLOSED };

/* True if the last call failed since nothing has come. */
static bool is_nothing_there (void) {
#ifdef _WIN32
  return WSAGetLastError() == WSAEWOULDBLOCK;
#else
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
#endif
}

/* libcurl's sockets are non-blocking. */
static enum state peek (curl_socket_t fd) {
  char byte;
  ssize_t count = recv(fd, &byte, 1, MSG_PEEK);
  if (count > 0) return HAS_INPUT;
  return count < 0 && is_nothing_there() ? SILENT : CLOSED;
}

bool sockets_is_open (struct sockets *s, int port) {
  struct open_socket *o = port ? find(s, port) : NULL;
  return o && peek(o->fd) != CLOSED;
}

bool sockets_has_input (struct sockets *s, int port) {
  struct open_socket *o = find(s, port);
  return o && o->quiet && peek(o->fd) != SILENT;
}
