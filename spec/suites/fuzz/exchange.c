/*
** The parts of a response as libcurl hands them over, in pieces of any size; then a redirect, or a failure's
** explanation. The first four bytes choose status, libcurl's result, limits, and the size of pieces.
*/
#include "net/curl_failure.h"
#include "net/engine.h"
#include "net/exchange_internal.h"
#include "support.h"

static struct engine *engine;
static struct cookie_jars jars;

static struct exchange *new_exchange (unsigned limits) {
  static const char root[] = "http://host.example/App";
  const char *why = NULL;
  struct exchange *x = engine_new_exchange(engine);
  x->request.method = limits & 1 ? "POST" : "GET";
  x->request.has_body = limits & 1;
  x->request.uri = uri_parse(&fuzz_memory, root, strlen(root), &why);
  x->request.transport = transport_new(&fuzz_memory);
  x->request.transport->max_response = limits & 2 ? 16 : 1 << 20;
  x->request.headers = header_list_new(&fuzz_memory);
  header_list_set(x->request.headers, "Content-Type", 12, "text/plain", 10);
  x->request.jar = limits & 4 ? cookie_jar_new(&jars) : NULL;
  if (limits & 8) x->request.window = 16;
  x->request.telling = limits & 16 ? 8 : 0;
  exchange_start(x, 1);
  return x;
}

/* The owner takes what waits. */
static void take_flow (struct exchange *x) {
  if (!x->run->owed) return;
  buffer_clear(&x->response.body);
  engine_go_on(engine, x);
  fuzz_check(!x->run->owed, "who has taken all owes nothing");
}

static bool take_body (struct exchange *x, const char *data, size_t length) {
  enum exchange_taking taking = exchange_take_body(x, data, length, 200);
  if (taking == EXCHANGE_PAUSES) {
    fuzz_check(x->run->owed, "it pauses for its owner");
    take_flow(x);
    taking = exchange_take_body(x, data, length, 200);
  }
  return taking == EXCHANGE_TOOK;
}

/* Header lines up to a blank one, then the body. */
static bool take (struct exchange *x, const char *data, size_t size, size_t piece) {
  bool body = false;
  while (size) {
    const char *end = memchr(data, '\n', size);
    size_t length = body ? piece : end ? (size_t)(end - data) + 1 : size;
    if (length > size) length = size;
    if (!(body ? take_body(x, data, length) : exchange_take_header(x, data, length))) return false;
    if (!body && (*data == '\n' || *data == '\r')) body = true;
    data += length;
    size -= length;
  }
  return true;
}

static void explain (struct exchange *x, unsigned code) {
  CURL *easy = curl_easy_init();
  char text[CURL_ERROR_SIZE] = "";
  size_t length = x->response.body.length < sizeof text - 1 ? x->response.body.length : sizeof text - 1;
  if (length) memcpy(text, x->response.body.data, length);
  curl_failure_explain(x, easy, (CURLcode)(code % CURL_LAST), text);
  if (code % CURL_LAST) fuzz_check(x->response.failure != FAILURE_NONE, "a failure is one");
  fuzz_check(curl_failure_name(x->response.failure) != NULL, "it has a name");
  fuzz_check(memchr(x->response.detail, '\0', sizeof x->response.detail) != NULL, "its text ends");
  curl_easy_cleanup(easy);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  if (size < 4) return 0;
  if (!engine) {
    engine = engine_new(NULL, &fuzz_memory);
    cookie_jars_init(&jars, &fuzz_memory, 1);
  }
  struct exchange *x = new_exchange(data[2]);
  bool whole = take(x, (const char *)data + 4, size - 4, 1 + data[3]);
  fuzz_check(whole || x->response.failure != FAILURE_NONE, "who stops a transfer says why");
  size_t most = x->run->flows ? 16 + 256 : x->request.transport->max_response;
  fuzz_check(x->response.body.length <= most, "a body keeps to its limit");
  take_flow(x);
  x->response.status = 200 + data[0];
  if (whole && !data[1] && exchange_redirect(x))
    fuzz_check(uri_same_origin(x->request.uri, x->response.uri), "no redirect leaves the origin");
  else if (data[1])
    explain(x, data[1]);
  exchange_free(x);
  return 0;
}
