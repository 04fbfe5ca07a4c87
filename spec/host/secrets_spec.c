/*
** secrets_spec: a host logs in, then searches all of its writable memory for passwords, tokens and cookies.
** The server is another process. This program keeps secrets masked, so each match is a copy. Lua's allocator
** wipes freed blocks, so a Lua string is found only while something refers to it.
*/
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MASK = 0xA5, LENGTH = 48, PASSWORD = 0, BEARER, ACCESS, REFRESH, NEXT, GIVEN, BASIC, COOKIE, SECRETS };

struct secret {
  size_t length;
  unsigned char masked[2 * LENGTH];
};

static struct secret secrets[SECRETS];
static int passed, failed;

static void check (bool holds, const char *what) {
  if (holds)
    passed++;
  else {
    failed++;
    printf("FAILED %s\n", what);
  }
}

/* Base64 of a text at a multiple of three bytes. */
static void encode (struct secret *to, const struct secret *from) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t i;
  to->length = from->length / 3 * 4;
  for (i = 0; i < to->length; i++) {
    size_t bit = i * 6, at = bit / 8;
    unsigned high = (unsigned)(from->masked[at] ^ MASK) << 8;
    unsigned low = at + 1 < from->length ? (unsigned)(from->masked[at + 1] ^ MASK) : 0;
    to->masked[i] = (unsigned char)(digits[(high | low) >> (10 - bit % 8) & 63] ^ MASK);
  }
}

static bool invent (void) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
  FILE *random = fopen("/dev/urandom", "rb");
  bool ok = random != NULL;
  int i, k;
  for (i = PASSWORD; ok && i <= GIVEN; i++) {
    secrets[i].length = LENGTH;
    for (k = 0; ok && k < LENGTH; k++) {
      int byte = fgetc(random);
      ok = byte != EOF;
      secrets[i].masked[k] = (unsigned char)(letters[byte & 31] ^ MASK);
    }
  }
  if (random) fclose(random);
  if (ok) encode(&secrets[BASIC], &secrets[PASSWORD]);
  return ok;
}

/* Looking */

static bool is_here (const unsigned char *at, const struct secret *s) {
  size_t i;
  for (i = 0; i < s->length; i++)
    if ((at[i] ^ MASK) != s->masked[i]) return false;
  return true;
}

static unsigned count_in (const unsigned char *from, const unsigned char *to, const struct secret *s) {
  unsigned found = 0;
  int first = s->masked[0] ^ MASK;
  while (from + s->length <= to) {
    from = memchr(from, first, (size_t)(to - from) - s->length + 1);
    if (!from) break;
    found += is_here(from, s);
    from++;
  }
  return found;
}

/* True for a sanitizer or valgrind, whose memory is not readable or has no end. */
static bool is_blind (void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  const char *preload = getenv("LD_PRELOAD");
  return preload && strstr(preload, "vgpreload");
#endif
}

/* The number of copies in memory. Allocates nothing, which would change the list of mappings. */
static unsigned copies (int which) {
  static char list[1 << 18];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  unsigned found = 0;
  ssize_t n;
  const char *line;
  while (length < sizeof list - 1 && (n = read(fd, list + length, sizeof list - 1 - length)) > 0)
    length += (size_t)n;
  list[length] = '\0';
  close(fd);
  for (line = list; *line; line = line[strcspn(line, "\n")] ? strchr(line, '\n') + 1 : "") {
    char *end;
    uintptr_t from = strtoul(line, &end, 16), to = strtoul(end + 1, &end, 16);
    if (strncmp(end, " rw", 3)) continue;
    found += count_in((const unsigned char *)from, (const unsigned char *)to, &secrets[which]);
  }
  return found;
}

static void there (int which, const char *what) {
  if (!is_blind()) check(copies(which) > 0, what);
}

static void gone (int which, const char *what) {
  unsigned n = is_blind() ? 0 : copies(which);
  check(n == 0, what);
  if (n) printf("  %u copies\n", n);
}

/* Lua */

static void *allocate (void *ud, void *block, size_t old, size_t size) {
  void *new = size ? malloc(size) : NULL;
  (void)ud;
  if (size && !new) return NULL;
  if (block) {
    if (new) memcpy(new, block, old < size ? old : size);
    explicit_bzero(block, old);
    free(block);
  }
  return new;
}

/* secret(i): the unmasked secret. */
static int l_secret (lua_State *L) {
  const struct secret *s = &secrets[luaL_checkinteger(L, 1)];
  char *text = malloc(s->length);
  size_t i;
  if (!text) return luaL_error(L, "not enough memory");
  for (i = 0; i < s->length; i++)
    text[i] = (char)(s->masked[i] ^ MASK);
  lua_pushlstring(L, text, s->length);
  explicit_bzero(text, s->length);
  free(text);
  return 1;
}

/* look(text): raises if the text holds a secret. */
static int l_look (lua_State *L) {
  size_t length;
  const unsigned char *text = (const unsigned char *)luaL_checklstring(L, 1, &length);
  int i;
  for (i = 0; i < SECRETS; i++)
    check(!secrets[i].length || !count_in(text, text + length, &secrets[i]),
          "nothing that is told holds a secret");
  return 0;
}

static lua_State *open_state (void) {
  lua_State *L = lua_newstate(allocate, NULL);
  if (!L) return NULL;
  luaL_openlibs(L);
  lua_register(L, "secret", l_secret);
  lua_register(L, "look", l_look);
  return L;
}

static void run (lua_State *L, const char *script, const char *origin) {
  bool ok = luaL_loadstring(L, script) == LUA_OK;
  if (ok) {
    lua_pushstring(L, origin);
    ok = lua_pcall(L, 1, 0, 0) == LUA_OK;
  }
  if (!ok) printf("%s\n", luaL_tolstring(L, -1, NULL));
  check(ok, "the script runs");
  lua_settop(L, 0);
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCCOLLECT);
}

/* The server process: prints its origin and, for each request, the last cookie, masked. */

static const char serving[] =
    "local sandbox = require 'datasession.sandbox'\n"
    "local server = assert(sandbox.start { users = { ab = secret(0) }, bearerTokens = { secret(1), "
    "secret(4), secret(5) } })\n"
    "local tokens = "
    "('{\"access_token\":\"%s\",\"refresh_token\":\"%s\",\"expires_in\":3600}'):format(secret(2), "
    "secret(3))\n"
    "server:fault { kind = 'status', status = 200, body = tokens, contentType = 'application/json', count = "
    "0,\n"
    "  model = 'form_sso', path = 'j_spring_security_check' }\n"
    "server:fault { kind = 'status', status = 200, body = '{}', model = 'sso', count = 0 }\n"
    "server:fault { kind = 'slow', delay = 0, model = 'basic', path = 'home.html$', count = 0,\n"
    "  headers = { ['X-CLIENT-CONTEXT-ID'] = secret(2) } }\n"
    "io.write(server.origin, '\\n'):flush()\n"
    "while io.read() do\n"
    "  local cookie = ''\n"
    "  for _, request in ipairs(server:requests()) do\n"
    "    cookie = (request.headers.cookie or ''):match 'JSESSIONID=([^;]+)' or cookie\n"
    "  end\n"
    "  io.write((cookie:gsub('.', function(c) return ('%02x'):format(c:byte() ~ 0xA5) end)), '\\n'):flush()\n"
    "end\n"
    "server:close()\n";

static pid_t start_server (int *to, int *from) {
  int ask[2], tell[2];
  if (pipe(ask) || pipe(tell)) return -1;
  pid_t child = fork();
  if (child == 0) {
    dup2(ask[0], STDIN_FILENO);
    dup2(tell[1], STDOUT_FILENO);
    close(ask[1]), close(tell[0]);
    lua_State *L = open_state();
    if (L) run(L, serving, NULL);
    _exit(L && !failed ? 0 : 1);
  }
  close(ask[0]), close(tell[1]);
  *to = ask[1], *from = tell[0];
  return child;
}

static bool read_line (int fd, char *line, size_t size) {
  size_t n = 0;
  while (n + 1 < size && read(fd, line + n, 1) == 1 && line[n] != '\n')
    n++;
  line[n] = '\0';
  return n > 0;
}

static void learn_cookie (int to, int from) {
  char line[4 * LENGTH + 1];
  struct secret *s = &secrets[COOKIE];
  size_t i;
  check(write(to, "\n", 1) == 1 && read_line(from, line, sizeof line), "the server tells the cookie");
  s->length = strlen(line) / 2;
  for (i = 0; i < s->length; i++) {
    const char digits[3] = {line[2 * i], line[2 * i + 1], '\0'};
    s->masked[i] = (unsigned char)strtoul(digits, NULL, 16);
  }
  check(s->length >= 8, "there is a cookie");
}

/* The host's part */

static const char prelude[] =
    "datasession, told, origin = require 'datasession', {}, ...\n"
    "local function tell(...) told[#told + 1] = table.concat({ ... }, ' ') end\n"
    "datasession.setLogger(function(level, event, session, fields)\n"
    "  for name, value in pairs(fields) do tell(level, event, tostring(session), name, tostring(value)) end\n"
    "end)\n"
    "function open(options)\n"
    "  options.proxy = false\n"
    "  session = datasession.new(options)\n"
    "end\n"
    "function done(value, err)\n"
    "  tell(tostring(value), tostring(err), tostring(session), tostring(provider))\n"
    "  look(table.concat(told, '\\n'))\n"
    "  assert(value, err)\n"
    "end\n"
    "function leave() done(session:logout():await(20)); done(datasession.run(20)) end\n";

static const char form[] = "open { serviceURI = origin .. '/SportsForm', authenticationModel = 'form' }\n"
                           "done(session:login('ab', secret(0)):await(20))\n"
                           "done(session:ping():await(20))\n";
static const char refused[] =
    "local wrong = datasession.new { serviceURI = origin .. '/SportsForm', proxy = false, "
    "authenticationModel = 'form' }\n"
    "local ok, err = wrong:login('no', secret(0)):await(20)\n"
    "assert(not ok)\n"
    "done(true, err)\n"
    "wrong:invalidate():await(20)\n";
static const char kept[] = "open { serviceURI = origin .. '/SportsForm', authenticationModel = 'form', "
                           "reconnect = true, keepCredentials = true }\n"
                           "done(session:login('ab', secret(0)):await(20))\n";
static const char cancelled[] =
    "open { serviceURI = origin .. '/SportsForm', authenticationModel = 'form', keepCredentials = true }\n"
    "local call = session:login('ab', secret(0))\n"
    "datasession.step()\n"
    "call:cancel()\n"
    "done(datasession.run(20), call:state())\n";
static const char datasnap[] = "open { serviceURI = origin, protocol = 'datasnap' }\n"
                               "done(session:login('ab', secret(0)):await(20))\n"
                               "done(session:ping():await(20))\n";
static const char query[] =
    "open { serviceURI = origin .. '/SportsAnonymous', authenticationModel = 'anonymous' }\n"
    "done(session:login():await(20))\n"
    "assert(session:request { path = '/static/home.html', query = { key = secret(4) } }:await(20))\n";
static const char catalog[] =
    "open { serviceURI = origin .. '/SportsAnonymous', authenticationModel = 'anonymous' }\n"
    "done(session:login():await(20))\n"
    "done(session:addCatalog(origin .. '/SportsBasic/static/CustomerService.json', 'ab', "
    "secret(0)):await(20))\n";
static const char losing[] =
    "open { serviceURI = origin .. '/SportsForm', authenticationModel = 'form', keepCredentials = true,\n"
    "  reconnect = { maxAttempts = 1 } }\n"
    "done(session:login('ab', secret(0)):await(20))\n";
static const char lost[] = "local ok, err = session:ping():await(20)\n"
                           "assert(not ok)\n"
                           "assert(datasession.run(20))\n"
                           "assert(session.state == 'expired')\n"
                           "done(true, err)\n";
static const char basic[] = "open { serviceURI = origin .. '/SportsBasic', authenticationModel = 'basic' }\n"
                            "done(session:login('ab', secret(0)):await(20))\n"
                            "done(session:ping():await(20))\n";
static const char bearer[] =
    "open { serviceURI = origin .. '/SportsBearer', authenticationModel = 'bearer' }\n"
    "done(session:login(secret(1)):await(20))\n"
    "done(session:ping():await(20))\n";
static const char next_token[] = "session:setToken(secret(4))\n"
                                 "done(session:ping():await(20))\n";
static const char given[] =
    "open { serviceURI = origin .. '/SportsBearer', authenticationModel = 'bearer', keepCredentials = true,\n"
    "  tokenProvider = function(_, reason) return secret(reason == 'login' and 1 or 5), 0 end }\n"
    "done(session:login():await(20))\n"
    "done(session:ping():await(20))\n";
static const char ungiven[] =
    "open { serviceURI = origin .. '/SportsBearer', authenticationModel = 'bearer',\n"
    "  tokenProvider = function() return secret(3) end }\n"
    "local ok, err = session:login():await(20)\n"
    "assert(not ok)\n"
    "done(true, err)\n";
static const char sso[] =
    "provider = datasession.AuthenticationProvider { uri = origin .. '/SportsAuth', proxy = false,\n"
    "  authenticationModel = 'form_sso' }\n"
    "done(provider:login('ab', secret(0)):await(20))\n"
    "open { serviceURI = origin .. '/SportsSso', authenticationModel = 'sso', authProvider = provider }\n"
    "done(session:request { path = '/rest/x' }:await(20))\n";
static const char sso_out[] = "done(provider:logout():await(20))\n"
                              "done(session:invalidate():await(20))\n"
                              "done(datasession.run(20))\n";

static void try_form (lua_State *L, int to, int from) {
  run(L, refused, NULL);
  gone(PASSWORD, "no password is left of a login that was refused");
  run(L, form, NULL);
  gone(PASSWORD, "no password is left of a form login");
  learn_cookie(to, from);
  there(COOKIE, "the cookie is there while the session is");
  run(L, "leave()", NULL);
  gone(COOKIE, "no cookie is left after logout");
  run(L, kept, NULL);
  there(PASSWORD, "keepCredentials keeps the password");
  run(L, "leave()", NULL);
  gone(PASSWORD, "a kept password is wiped by logout");
  run(L, cancelled, NULL);
  gone(PASSWORD, "no password is left of a login that was cancelled");
  run(L, kept, NULL);
  run(L, "session = nil", NULL);
  gone(PASSWORD, "a kept password is wiped with its session");
}

static void try_datasnap (lua_State *L) {
  run(L, datasnap, NULL);
  there(BASIC, "datasnap shows the password with each request");
  run(L, "leave()", NULL);
  gone(PASSWORD, "no password is left of a datasnap login after logout");
  gone(BASIC, "nor in the form in which it was sent");
}

static void try_catalog (lua_State *L) {
  run(L, catalog, NULL);
  gone(PASSWORD, "no password of a catalog is left once it is loaded");
  run(L, "leave()", NULL);
  gone(BASIC, "nor the form in which it was sent, after logout");
}

static void try_query (lua_State *L) {
  run(L, query, NULL);
  there(NEXT, "the key in a query is there while the session is");
  run(L, "leave()", NULL);
  gone(NEXT, "no key of a query is left after logout");
  run(L, basic, NULL);
  there(ACCESS, "the client context id, which is in paths, is there while the session is");
  run(L, "leave()", NULL);
  gone(ACCESS, "no client context id is left after logout");
}

static void try_shown (lua_State *L) {
  run(L, basic, NULL);
  there(BASIC, "basic shows the password with each request");
  gone(PASSWORD, "but keeps it in no other form than that in which it is sent");
  run(L, "leave()", NULL);
  gone(PASSWORD, "no password is left of a basic login after logout");
  gone(BASIC, "nor in the form in which it was sent");
  run(L, bearer, NULL);
  there(BEARER, "the bearer's token is there while the session is");
  run(L, "leave()", NULL);
  gone(BEARER, "no bearer token is left after logout");
}

static void try_new_tokens (lua_State *L) {
  run(L, bearer, NULL);
  run(L, next_token, NULL);
  there(NEXT, "the token of setToken is there");
  gone(BEARER, "no token is left that setToken has replaced");
  run(L, "leave()", NULL);
  gone(NEXT, "no token of setToken is left after logout");
  run(L, given, NULL);
  there(GIVEN, "the token of tokenProvider is there");
  gone(BEARER, "no token is left that tokenProvider has replaced");
  run(L, "leave()", NULL);
  gone(GIVEN, "no token of tokenProvider is left after logout");
  run(L, ungiven, NULL);
  gone(REFRESH, "no token of tokenProvider is left of a login that was refused");
}

static void try_tokens (lua_State *L) {
  run(L, sso, NULL);
  gone(PASSWORD, "no password is left of a provider's login");
  there(ACCESS, "the access token is there");
  there(REFRESH, "the refresh token is there");
  run(L, sso_out, NULL);
  gone(ACCESS, "no access token is left after logout");
  gone(REFRESH, "no refresh token is left after logout");
}

static void try_close (const char *origin) {
  lua_State *L = open_state();
  if (!L) return;
  run(L, prelude, origin);
  run(L, kept, NULL);
  run(L, basic, NULL);
  run(L, bearer, NULL);
  run(L, given, NULL);
  run(L, sso, NULL);
  lua_close(L);
  gone(PASSWORD, "no password is left after lua_close");
  gone(BASIC, "nor in the form in which it was sent");
  gone(BEARER, "no bearer token is left after lua_close");
  gone(GIVEN, "no token of tokenProvider is left after lua_close");
  gone(ACCESS, "no access token is left after lua_close");
  gone(REFRESH, "no refresh token is left after lua_close");
}

int main (void) {
  int to = -1, from = -1, status = 1;
  char origin[128];
  pid_t server;
  alarm(100); /* ends a wait that would never end */
  if (!invent() || (server = start_server(&to, &from)) < 0 || !read_line(from, origin, sizeof origin)) {
    fputs("the server could not be started\n", stderr);
    return 2;
  }
  lua_State *L = open_state();
  if (!L) return 2;
  run(L, prelude, origin);
  try_form(L, to, from);
  try_datasnap(L);
  try_catalog(L);
  try_query(L);
  try_shown(L);
  try_new_tokens(L);
  try_tokens(L);
  lua_close(L);
  try_close(origin);
  L = open_state();
  if (!L) return 2;
  run(L, prelude, origin);
  run(L, losing, NULL);
  there(PASSWORD, "a session that reconnects keeps the password");
  close(to);
  check(waitpid(server, &status, 0) == server && status == 0, "the server ends well");
  run(L, lost, NULL);
  gone(PASSWORD, "no password is left after a reconnect that gave up");
  lua_close(L);
  printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}
