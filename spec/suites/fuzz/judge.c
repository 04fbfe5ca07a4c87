/*
** A session's verdict on any answer to any request, and what it reports: its error, and its log. The first
** three bytes choose status, model and purpose; then comes the header block up to a blank line, then the
** body. The address that was asked and the answer's header lines hold a secret; what the body says is the
** server's own affair.
*/
#include "net/exchange_internal.h"
#include "runtime/response.h"
#include "session/protocol.h"
#include "support.h"

static const char make[] =
    "local kinds = { { authenticationModel = 'anonymous' }, { authenticationModel = 'basic' },\n"
    "  { authenticationModel = 'form' }, { authenticationModel = 'bearer' }, { protocol = 'datasnap' },\n"
    "  { protocol = 'btt' }, { protocol = 'btt', format = 'xml' }, { protocol = 'proiv' } }\n"
    "local notes\n"
    "datasession.setLogger(function(...) notes[#notes + 1] = { ... } end)\n"
    "local function tells(value, secret)\n"
    "  if type(value) ~= 'table' then return tostring(value):find(secret, 1, true) end\n"
    "  for key, inner in pairs(value) do\n"
    "    if tells(key, secret) or tells(inner, secret) then return true end\n"
    "  end\n"
    "end\n"
    "return function(input)\n"
    "  notes = {}\n"
    "  local known = (input:match '\\n\\r?\\n(.*)' or input):find('sEcReT', 1, true) ~= nil\n"
    "  local options = { serviceURI = 'http://host.example/App', proxy = false }\n"
    "  for name, value in pairs(kinds[1 + input:byte(2) % #kinds]) do options[name] = value end\n"
    "  local session = datasession.new(options)\n"
    "  judge(session, input, known)\n"
    "  datasession.step()\n"
    "  session:disconnect()\n"
    "  datasession.step()\n"
    "  assert(known or not tells(notes, 'sEcReT'), 'no secret is in the log')\n"
    "end";

static struct exchange *answer (lua_State *L, struct session *s, const char *data, size_t size) {
  static const char root[] = "http://host.example/App/rest/_oepingService/_oeping;p=sEcReT?q=sEcReT";
  const char *why = NULL, *body = data, *end = data + size;
  struct exchange *x = engine_new_exchange(loop_engine(L, s->loop));
  x->request.method = "GET";
  x->request.uri = uri_parse(engine_memory(s->loop->engine), root, strlen(root), &why);
  x->request.transport = transport_keep(s->transport);
  exchange_start(x, 1);
  while (body < end) {
    const char *line = body, *next = memchr(body, '\n', (size_t)(end - body));
    body = next ? next + 1 : end;
    if (!exchange_take_header(x, line, (size_t)(body - line)) || *line == '\n' || *line == '\r') break;
  }
  exchange_take_body(x, body, (size_t)(end - body), 200);
  return x;
}

/* The error, and with it the response, is what a user would look at. */
static void look (lua_State *L, const struct exchange *x, const struct finding *found, bool known) {
  int top = lua_gettop(L);
  if (found->verdict == VERDICT_ALIVE)
    verdict_push_info(L, x, found);
  else
    verdict_push_error(L, x, found);
  luaL_tolstring(L, -1, NULL);
  fuzz_check(known || !strstr(lua_tostring(L, -1), "sEcReT"), "no secret is told");
  lua_settop(L, top);
}

static int l_judge (lua_State *L) {
  struct session *s = session_check(L, 1);
  size_t size;
  const char *data = luaL_checklstring(L, 2, &size);
  enum purpose purpose = (enum purpose)((unsigned char)data[2] % (PURPOSE_REFRESH + 1));
  struct finding found;
  struct exchange *x = answer(L, s, data + 3, size - 3);
  x->response.status = 100 + (unsigned char)data[0] * 2;
  s->phase = (unsigned char)data[1] & 128 ? PHASE_AUTHORIZED : PHASE_FRESH;
  memset(&found, 0, sizeof found);
  if (s->protocol->hear) s->protocol->hear(L, s, x);
  s->protocol->judge(L, s, x, purpose, &found);
  look(L, x, &found, lua_toboolean(L, 3));
  lua_pushvalue(L, 1);
  session_transition(L, -1, &found);
  exchange_free(x);
  return 0;
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  static const luaL_Reg functions[] = {{"judge", l_judge}, {NULL, NULL}};
  if (size >= 3) fuzz_lua(make, functions, data, size);
  return 0;
}
