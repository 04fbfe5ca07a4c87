/*
** A whole session against a server that says what the input says. The first byte chooses the model. Each
** request, on whatever connection, is answered with the next of the pieces between bytes 0x1e; when there is
** none, and after an answer that is not followed by another request, the connection is closed. Server and
** client take turns in one thread.
*/
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

static const char chunk[] =
    "local models = { 'anonymous', 'basic', 'form', 'bearer', 'sso' }\n"
    "local function drive(promise)\n"
    "  local turns = 0\n"
    "  while promise:state() == 'pending' do\n"
    "    serve()\n"
    "    datasession.step(turns < 20 and 0 or 0.001)\n"
    "    turns = turns + 1\n"
    "    assert(turns < 3000, 'a promise is never settled')\n"
    "  end\n"
    "  return promise:await(0)\n"
    "end\n"
    "local known\n" /* the server itself says the password: libFuzzer finds out what is compared */
    "local function look(value, err)\n"
    "  if value == nil then\n"
    "    assert(type(err) == 'table' and err.kind and err.kind ~= 'memory' and tostring(err) ~= '')\n"
    "    assert(known or not tostring(err):find('pAsSwOrD', 1, true), 'a password is told')\n"
    "  end\n"
    "  return value\n"
    "end\n"
    "return function(input)\n"
    "  local model = models[1 + input:byte(1) % #models]\n"
    "  known = input:find('pAsSwOrD', 1, true) ~= nil\n"
    "  local root = 'http://127.0.0.1:' .. begin(input) .. '/App'\n"
    "  local options = { serviceURI = root, authenticationModel = model, timeout = 0.5, proxy = false, "
    "maxResponseSize = 65536 }\n"
    "  if model == 'sso' then\n"
    "    local provider = datasession.AuthenticationProvider { uri = root, authenticationModel = 'form_sso', "
    "timeout = 0.5,\n"
    "      proxy = false }\n"
    "    local ok = drive(provider:login('lua', 'pAsSwOrD'))\n"
    "    if not ok then return finish() end\n"
    "    if provider:hasRefreshToken() then look(drive(provider:refresh())) end\n"
    "    if not provider:hasClientCredentials() then return finish() end\n"
    "    options.authProvider = provider\n"
    "  end\n"
    "  local session = datasession.new(options)\n"
    "  session:subscribe('online', function() end)\n"
    "  session:subscribe('offline', function(_, reason) assert(type(reason) == 'string') end)\n"
    "  if model == 'bearer' then look(drive(session:login('pAsSwOrD')))\n"
    "  elseif model ~= 'sso' then look(drive(session:login('lua', 'pAsSwOrD'))) end\n"
    "  look(drive(session:ping()))\n"
    "  look(drive(session:addCatalog 'static/c.json'))\n"
    "  local response = look(drive(session:request { path = '/rest/x', json = { a = 1 }, method = 'PUT' }))\n"
    "  if response then\n"
    "    local _ = response.status, response.body, response.headers, response:json(), tostring(response)\n"
    "  end\n"
    "  look(drive(session:isAuthorized()))\n"
    "  look(drive(session:invalidate()))\n"
    "  finish()\n"
    "end";

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

/* begin(input): the port. */
static int l_begin (lua_State *L) {
  size_t size;
  answers = (const uint8_t *)luaL_checklstring(L, 1, &size);
  answers_end = answers + size;
  answers++;
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

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {
      {"serve", l_serve}, {"begin", l_begin}, {"finish", l_finish}, {NULL, NULL}};
  if (listener < 0) open_listener();
  if (size) fuzz_lua(chunk, functions, data, size);
  return 0;
}
