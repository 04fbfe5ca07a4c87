/*
** resolver_hang: a library to preload. For names that end in ".hang.test" its getaddrinfo blocks until it can
** read a byte from the FIFO in DATASESSION_HANG_FIFO, and then reports that the name does not exist. One byte
** releases one look-up. Other names are resolved as usual.
*/
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int begun, ended;

/* For a host that does not link to this library: dlsym(RTLD_DEFAULT, ...). */
int resolver_hang_begun (void);
int resolver_hang_ended (void);

int resolver_hang_begun (void) {
  return atomic_load(&begun);
}

int resolver_hang_ended (void) {
  return atomic_load(&ended);
}

static int hangs (const char *name) {
  static const char end[] = ".hang.test";
  size_t length = name ? strlen(name) : 0;
  return length >= sizeof end - 1 && strcmp(name + length - (sizeof end - 1), end) == 0;
}

/* Opens the FIFO for reading and writing, so that open() does not wait for the other side. */
static void await_release (void) {
  const char *path = getenv("DATASESSION_HANG_FIFO");
  int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  char byte;
  atomic_fetch_add(&begun, 1);
  if (fd >= 0) {
    while (read(fd, &byte, 1) < 0 && errno == EINTR)
      continue;
    close(fd);
  }
  atomic_fetch_add(&ended, 1);
}

int getaddrinfo (const char *name, const char *service, const struct addrinfo *hints,
                 struct addrinfo **found) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  if (hangs(name)) {
    await_release();
    return EAI_NONAME;
  }
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  return next(name, service, hints, found);
}
