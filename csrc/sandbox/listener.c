#include "sandbox/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static bool resolve (struct listener *l, const char *host, unsigned port, char *error, size_t error_size) {
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                 .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  char service[16];
  (void)snprintf(service, sizeof service, "%u", port);
  int code = getaddrinfo(host, service, &hints, &found);
  if (code != 0) {
    (void)snprintf(error, error_size, "%s is not a numeric address: %s", host, gai_strerror(code));
    return false;
  }
  memcpy(&l->address, found->ai_addr, found->ai_addrlen);
  l->address_length = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

/* A socket bound to the address, with close-on-exec; -1: see errno. */
static int bind_socket (const struct listener *l) {
  const int yes = 1;
  int fd = socket(l->address.ss_family, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
      setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      bind(fd, (const struct sockaddr *)&l->address, l->address_length) == 0)
    return fd;
  int reason = errno;
  (void)close(fd);
  errno = reason;
  return -1;
}

static void describe (const struct listener *l, char *error, size_t error_size) {
  int reason = errno;
  char host[NI_MAXHOST];
  if (getnameinfo((const struct sockaddr *)&l->address, l->address_length, host, sizeof host, NULL, 0,
                  NI_NUMERICHOST) != 0)
    (void)snprintf(host, sizeof host, "?"); /* GCOVR_EXCL_LINE: getaddrinfo has read the address */
  (void)snprintf(error, error_size, "cannot listen on %s port %u: %s", host, listener_port(l),
                 strerror(reason));
}

bool listener_init (struct listener *l, const char *host, unsigned port, char *error, size_t error_size) {
  memset(l, 0, sizeof *l);
  l->reservation = -1;
  if (!resolve(l, host, port, error, error_size)) return false;
  l->reservation = bind_socket(l);
  if (l->reservation >= 0) {
    l->address_length = sizeof l->address;
    if (getsockname(l->reservation, (struct sockaddr *)&l->address, &l->address_length) == 0) return true;
  }
  describe(l, error, error_size);
  listener_cleanup(l);
  return false;
}

void listener_cleanup (struct listener *l) {
  if (l->reservation >= 0) (void)close(l->reservation);
  l->reservation = -1;
}

int listener_open (struct listener *l, char *error, size_t error_size) {
  int fd = bind_socket(l);
  if (fd < 0 && errno == EADDRINUSE) { /* on this system two sockets cannot share an address */
    listener_cleanup(l);
    fd = bind_socket(l);
  }
  if (fd >= 0) {
    if (listen(fd, BACKLOG) == 0) return fd;
    /* GCOVR_EXCL_START: another socket of that port begins to listen between bind and listen */
    int reason = errno;
    (void)close(fd);
    errno = reason;
    /* GCOVR_EXCL_STOP */
  }
  describe(l, error, error_size);
  return -1;
}

unsigned listener_port (const struct listener *l) {
  return l->address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&l->address)->sin6_port)
                                          : ntohs(((const struct sockaddr_in *)&l->address)->sin_port);
}
