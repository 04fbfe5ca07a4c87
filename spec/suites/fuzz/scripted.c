/*
** scripted: a server in the thread of its client. Each request, on whatever connection, is answered with the
** next of the pieces between bytes 0x1e of a text; when there is none, and after an answer that is not
** followed by another request, the connection is closed.
*/
#include "scripted.h"

#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 16, PATIENCE = 3 };

static struct connection {
  int fd;      /* < 0: none */
  int asked;   /* header blocks that have ended */
  int matched; /* bytes of CR LF CR LF seen */
  int idle;    /* turns since it was answered */
} connections[CONNECTIONS];

static int listener = -1, port;
static const uint8_t *answers, *answers_end; /* in the input */

static void close_connection (struct connection *c) {
  static const struct linger at_once = {1, 0};
  if (c->fd < 0) return;
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); /* thousands would else linger */
  close(c->fd);
  c->fd = -1;
}

static void open_listener (void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, CONNECTIONS) ||
      getsockname(listener, (struct sockaddr *)&address, &size)) {
    perror("fuzz: listen");
    exit(2);
  }
  port = ntohs(address.sin_port);
  for (int i = 0; i < CONNECTIONS; i++)
    connections[i].fd = -1;
}

static void accept_all (void) {
  for (int i = 0; i < CONNECTIONS; i++) {
    if (connections[i].fd >= 0) continue;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    connections[i] = (struct connection){.fd = fd};
  }
}

static void count_requests (struct connection *c, const char *data, ssize_t size) {
  static const char end[] = "\r\n\r\n";
  for (ssize_t i = 0; i < size; i++) {
    c->matched = data[i] == end[c->matched] ? c->matched + 1 : data[i] == '\r';
    if (c->matched < 4) continue;
    c->matched = 0;
    c->asked++;
  }
}

/* False: the input has no other answer. */
static bool answer (struct connection *c) {
  if (answers >= answers_end) return false;
  const uint8_t *end = memchr(answers, 0x1e, (size_t)(answers_end - answers));
  if (!end) end = answers_end;
  ssize_t sent = send(c->fd, answers, (size_t)(end - answers), MSG_NOSIGNAL);
  answers = end + 1;
  return sent >= 0;
}

static void work (struct connection *c) {
  char data[4096];
  ssize_t size = recv(c->fd, data, sizeof data, 0);
  if (size == 0 || (size < 0 && errno != EAGAIN)) {
    close_connection(c);
    return;
  }
  if (size > 0) {
    c->idle = 0;
    count_requests(c, data, size);
  }
  for (; c->asked; c->asked--)
    if (!answer(c)) {
      close_connection(c);
      return;
    }
  if (c->idle++ == PATIENCE) shutdown(c->fd, SHUT_WR);
}

static int l_serve (lua_State *L) {
  (void)L;
  accept_all();
  for (int i = 0; i < CONNECTIONS; i++)
    if (connections[i].fd >= 0) work(&connections[i]);
  return 0;
}

/* begin(text, where): the port. The answers start at that position of the text. */
static int l_begin (lua_State *L) {
  size_t size;
  answers = (const uint8_t *)luaL_checklstring(L, 1, &size);
  answers_end = answers + size;
  answers += luaL_checkinteger(L, 2) - 1;
  if (listener < 0) open_listener();
  lua_pushvalue(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "scripted.answers"); /* keeps the text */
  lua_pushinteger(L, port);
  return 1;
}

static int l_finish (lua_State *L) {
  (void)L;
  accept_all();
  for (int i = 0; i < CONNECTIONS; i++)
    close_connection(&connections[i]);
  return 0;
}

const luaL_Reg scripted_functions[] = {
    {"serve", l_serve}, {"begin", l_begin}, {"finish", l_finish}, {NULL, NULL}};
