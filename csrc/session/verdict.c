#include "session/verdict.h"

#include "net/curl_failure.h"
#include "net/system.h"
#include "runtime/error.h"
#include "runtime/response.h"
#include "session/operation.h"
#include "session/protocol.h"
#include "session/reconnect.h"
#include "session/retry.h"
#include "session/server_words.h"
#include "session/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const purpose_names[] = {"login",  "isAuthorized", "ping",   "addCatalog",
                                            "logout", "request",      "refresh"};

/* A message that is about the same call begins with its name too. */
static void drop_second (char *message, size_t prefix) {
  if (!strncmp(message, message + prefix, prefix))
    memmove(message, message + prefix, strlen(message + prefix) + 1);
}

void verdict_say (struct finding *found, const char *format, ...) {
  va_list args;
  int prefix = snprintf(found->message, sizeof found->message, "%s: ", purpose_names[found->purpose]);
  va_start(args, format);
  vsnprintf(found->message + prefix, sizeof found->message - (size_t)prefix, format, args);
  va_end(args);
  drop_second(found->message, (size_t)prefix);
  found->fault.message = found->message;
}

const char *verdict_refusal (long status) {
  switch (status) {
  case 400: return "the server calls the request malformed";
  case 401: return "the server wants a login for that";
  case 403: return "this user is not allowed to do that";
  case 404: return "nothing is there";
  case 405: return "the server takes no requests of that method there";
  case 410: return "nothing is there any more";
  case 413: return "the body is too large for the server";
  case 414: return "the URI is too long for the server";
  case 415: return "the server takes no body of that Content-Type there";
  case 429: return "the server gets too many requests";
  case 431: return "the request's header lines are too long for the server";
  case 501: return "the server does not support that";
  case 502:
  case 504: return "a proxy or gateway got no good answer from the server";
  case 503: return "the server is not available now";
  default: return status >= 500 ? "the server failed at the request" : "the server refused the request";
  }
}

/* Behind the message; as much as there is room for. */
static void append (struct finding *found, const char *format, const char *text) {
  size_t length = strlen(found->message), left = sizeof found->message - length;
  int added = snprintf(found->message + length, left, format, text);
  if (added < 0 || (size_t)added >= left) found->message[length] = 0;
}

void verdict_quote (lua_State *L, const struct exchange *x, struct finding *found) {
  char words[SERVER_WORDS_SIZE];
  long status = found->fault.status;
  if (x->response.failure != FAILURE_NONE || status < 400 || found->fault.message != found->message) return;
  if (server_words_read(L, x, words) && !strstr(found->message, words))
    append(found, "; the server says: %s", words);
  if ((status == 429 || status == 503) && server_words_retry(x, words, sizeof words))
    append(found, "; try again %s (Retry-After)", words);
}

const char *verdict_way_back (const struct session *s) {
  if (s->model == MODEL_SSO) return "log the AuthenticationProvider in again";
  if (!reconnect_is_wanted(s)) return "call login again";
  if (s->phase == PHASE_EXPIRED && !s->established) return "it could not be re-established: log in again";
  if (s->protocol->can_renew(s)) return "the session is being re-established";
  return "log in again; with keepCredentials = true the session does so itself";
}

/*
** A request that timed out, was too big or was cut short says nothing about the session, unless the session
** itself sent it.
*/
static enum verdict failed_verdict (const struct exchange *x, enum failure failure, enum purpose purpose) {
  bool own = purpose != PURPOSE_REQUEST && purpose != PURPOSE_CATALOG;
  switch (failure) {
  case FAILURE_CONNECT:
    if (!own && x->response.status) break;
    /* fall through */
  case FAILURE_DNS:
  case FAILURE_DEVICE:
  case FAILURE_TLS:
  case FAILURE_PROXY: return VERDICT_UNREACHABLE;
  case FAILURE_TIMEOUT:
  case FAILURE_STALL: return own ? VERDICT_UNREACHABLE : VERDICT_NEUTRAL;
  case FAILURE_PROTOCOL:
  case FAILURE_TOO_BIG:
  case FAILURE_REDIRECT: return own ? VERDICT_BROKEN : VERDICT_NEUTRAL;
  case FAILURE_NONE:
  case FAILURE_FILE:
  case FAILURE_CANCELLED:
  case FAILURE_MEMORY: break;
  }
  return VERDICT_NEUTRAL;
}

void verdict_failure (struct finding *found, const struct exchange *x, enum purpose purpose) {
  enum failure failure = x->response.failure;
  const struct uri *uri = x->response.uri ? x->response.uri : x->request.uri;
  memset(found, 0, sizeof *found);
  found->purpose = purpose;
  found->verdict = failed_verdict(x, failure, purpose);
  if (found->verdict == VERDICT_UNREACHABLE)
    found->reason = failure == FAILURE_DEVICE ? REASON_DEVICE : REASON_SERVER;
  if (found->verdict == VERDICT_BROKEN && purpose == PURPOSE_PING && failure != FAILURE_REDIRECT)
    found->reason = REASON_APPLICATION;
  found->fault.kind = error_kind(failure);
  found->fault.result = RESULT_GENERAL_FAILURE;
  found->fault.hint = x->response.hint;
  found->fault.retryable = error_retryable(failure);
  found->fault.uri = uri;
  verdict_say(found, "%s: %s%s%s", uri ? uri_public_text(uri) : "?", curl_failure_name(failure),
              x->response.detail[0] ? ": " : "", x->response.detail);
}

/* The session has ended here already: another logout would not reach the server's session. */
static void limit_retries (const struct operation *op, struct finding *found) {
  if (!strcmp(op->verb, "logout") || !strcmp(op->verb, "invalidate")) found->fault.retryable = false;
}

/* Separate credentials for a catalog prove nothing about the session. */
static void judge_apart (struct finding *found) {
  if (found->verdict == VERDICT_EXPIRED || found->verdict == VERDICT_REFUSED)
    found->verdict = VERDICT_NEUTRAL;
  if (found->fault.result != RESULT_AUTHENTICATION_FAILURE) return;
  found->fault.kind = "auth";
  found->fault.hint = found->reason = NULL;
  verdict_say(found, "HTTP %ld from %s: the server did not accept the credentials given for the catalog",
              found->fault.status, uri_public_text(found->fault.uri));
}

/*
** A server whose TLS port is asked in plain http answers 400 and says so in the body; likewise a server that
** requires a client certificate.
*/
static const char *hint_of_tls (const struct exchange *x) {
  static const struct {
    const char *words, *hint;
  } known[] = {
      {"plain HTTP request was sent to HTTPS port", "the port speaks TLS: begin the URI with https://"},
      {"speaking plain HTTP to an SSL-enabled", "the port speaks TLS: begin the URI with https://"},
      {"requires TLS", "the port speaks TLS: begin the URI with https://"},
      {"wants TLS", "the port speaks TLS: begin the URI with https://"},
      {"No required SSL certificate",
       "the server asks for a client certificate: pass clientCertificate and clientKey"},
      {"SSL certificate error", "the server refused the client certificate: check clientCertificate"}};
  const struct buffer *body = &x->response.body;
  size_t i;
  if (x->response.status != 400 || !body->length) return NULL;
  for (i = 0; i < sizeof known / sizeof *known; i++)
    if (memmem(body->data, body->length, known[i].words, strlen(known[i].words)) &&
        uri_is_https(x->response.uri) == (strstr(known[i].words, "certificate") != NULL))
      return known[i].hint;
  return NULL;
}

void verdict_judge (lua_State *L, struct operation *op, const struct exchange *x, enum purpose purpose,
                    struct finding *found) {
  const struct session *s = op->session;
  const char *tls = hint_of_tls(x);
  if (s->protocol->hear) s->protocol->hear(L, op->session, x);
  if (x->response.failure != FAILURE_NONE) {
    verdict_failure(found, x, purpose);
    if (s->protocol->judge_failure) s->protocol->judge_failure(s, x, found);
  } else
    s->protocol->judge(L, op->session, x, purpose, found);
  if (found->verdict != VERDICT_ALIVE && tls) found->fault.hint = tls;
  if (purpose == PURPOSE_REQUEST || purpose == PURPOSE_CATALOG)
    found->apart = op->apart || !uri_within(s->service, x->request.uri);
  if (op->apart) judge_apart(found);
  if (found->verdict != VERDICT_ALIVE) verdict_quote(L, x, found);
}

void verdict_push_info (lua_State *L, const struct exchange *x, const struct finding *found) {
  lua_createtable(L, 0, 1);
  response_push(L, x);
  lua_setfield(L, -2, "xhr");
  if (found->reason) {
    lua_pushstring(L, found->reason);
    lua_setfield(L, -2, "offlineReason");
  }
  if (x && x->response.may_have_arrived) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "mayHaveArrived");
  }
}

void verdict_push_error (lua_State *L, const struct exchange *x, const struct finding *found) {
  error_push(L, &found->fault);
  verdict_push_info(L, x, found);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "errorObject");
  lua_setfield(L, -2, "info");
}

void verdict_apply (lua_State *L, struct operation *op, const struct finding *found) {
  if (!op->session || op->epoch != op->session->epoch || found->apart) return;
  operation_push_session(L, op);
  session_transition(L, -1, found);
  lua_pop(L, 1);
}

void verdict_begin (struct finding *found, const struct exchange *x, enum purpose purpose) {
  memset(found, 0, sizeof *found);
  found->purpose = purpose;
  found->fault.status = x->response.status;
  found->fault.uri = x->response.uri;
  found->fault.result = RESULT_GENERAL_FAILURE;
}

void verdict_blame (struct finding *found, enum verdict verdict, const char *kind, const char *reason,
                    const char *what, const char *hint) {
  found->verdict = verdict;
  found->fault.kind = kind;
  found->reason = reason;
  found->fault.hint = hint;
  verdict_say(found, "HTTP %ld from %s: %s", found->fault.status, uri_public_text(found->fault.uri), what);
}

void verdict_rename (struct finding *found, const char *call) {
  size_t old = strlen(purpose_names[found->purpose]), name = strlen(call), rest;
  if (found->fault.message != found->message) return;
  rest = strlen(found->message + old);
  if (rest >= sizeof found->message - name) rest = sizeof found->message - name - 1;
  memmove(found->message + name, found->message + old, rest);
  memcpy(found->message, call, name);
  found->message[name + rest] = 0;
}

void verdict_name_call (const struct operation *op, struct finding *found) {
  if (found->purpose == PURPOSE_REQUEST || found->purpose == PURPOSE_LOGOUT) verdict_rename(found, op->verb);
}

void verdict_blame_stop (lua_State *L, const struct operation *op, const struct exchange *x,
                         struct finding *found) {
  if (found->verdict != VERDICT_BROKEN || found->fault.status <= 0 || strcmp(op->verb, "stop") != 0) return;
  verdict_blame(found, VERDICT_BROKEN, found->fault.kind, found->reason, "the server did not end the session",
                NULL);
  verdict_quote(L, x, found);
}

void verdict_conclude (lua_State *L, struct operation *op, const struct exchange *x, struct finding *found,
                       enum result success) {
  if (reconnect_attempted(L, op, x, found)) return;
  verdict_name_call(op, found);
  if (op->retry && retry_takes_login(L, op, x, found)) return;
  verdict_apply(L, op, found);
  if (found->verdict == VERDICT_ALIVE) {
    operation_push_owner(L, op);
    error_push_result(L, success);
    verdict_push_info(L, x, found);
    operation_resolve(L, op);
    return;
  }
  if (reconnect_takes(L, op, x, found)) return;
  if (op->retry && retry_takes(L, op, x, found)) return;
  if (success == RESULT_TRUE) found->fault.result = RESULT_FALSE;
  limit_retries(op, found);
  verdict_push_error(L, x, found);
  operation_reject(L, op);
}

void verdict_conclude_with (lua_State *L, struct operation *op, const struct exchange *x,
                            struct finding *found,
                            void (*push)(lua_State *, struct operation *, const struct exchange *,
                                         const struct finding *)) {
  verdict_name_call(op, found);
  verdict_apply(L, op, found);
  if (found->verdict == VERDICT_ALIVE) {
    push(L, op, x, found);
    operation_resolve(L, op);
    return;
  }
  if (reconnect_takes(L, op, x, found)) return;
  if (op->retry && retry_takes(L, op, x, found)) return;
  limit_retries(op, found);
  verdict_push_error(L, x, found);
  lua_getfield(L, -1, "info");
  lua_getfield(L, -1, "xhr");
  lua_setfield(L, -3, "response");
  lua_pop(L, 1);
  operation_reject(L, op);
}

bool conclude_later (lua_State *L, struct operation *op) {
  operation_defer(L, op, conclude_at_once);
  return true;
}

void conclude_at_once (lua_State *L, struct operation *op, struct exchange *x) {
  (void)x;
  operation_push_owner(L, op);
  error_push_result(L, RESULT_SUCCESS);
  lua_newtable(L);
  operation_resolve(L, op);
}
