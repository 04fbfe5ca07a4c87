#include "net/curl_failure.h"

#include "net/ascii.h"
#include "net/descriptors.h"
#include "net/exchange_internal.h"
#include "net/handle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32 /* libcurl reports the numbers of Winsock */
enum { NET_UNREACHABLE = WSAENETUNREACH, NET_DOWN = WSAENETDOWN };
#else
#include <arpa/inet.h>
enum { NET_UNREACHABLE = ENETUNREACH, NET_DOWN = ENETDOWN };
#endif

static const char closed_plain_hint[] = "the server, or something on the way to it, closed the connection: "
                                        "the server's log may say why; if the port "
                                        "speaks TLS, the URI begins with https://";
static const char https_hint[] =
    "is this an HTTP server, and is the port right? if it speaks TLS, the URI begins with https://";
static const char refused_hint[] = "is the server running, and is the port right?";
static const char closed_hint[] =
    "the server, or something on the way to it, closed the connection: the server's log may say why";
static const char http2_hint[] =
    "the server, or something on the way to it, ended the HTTP/2 stream: its log may say why; "
    "the option http2 = false does without HTTP/2";

const char headers_hint[] = "the server, or a proxy before it, must send fewer or shorter header lines";

static const struct {
  const char *name, *hint;
} classes[] = {
    [FAILURE_NONE] = {"no failure", NULL},
    [FAILURE_TIMEOUT] = {"the time limit passed", "raise the timeout option, or look why the server is slow"},
    [FAILURE_STALL] = {"no data came for too long",
                       "raise the stallTimeout option, or look why the server stopped sending"},
    [FAILURE_DNS] = {"the host's name could not be resolved",
                     "is the host's name right, and does this machine reach its name server?"},
    [FAILURE_CONNECT] = {"the connection failed", closed_hint},
    [FAILURE_DEVICE] = {"this machine has no network", "connect this machine to a network"},
    [FAILURE_TLS] = {"the secure connection could not be made",
                     "do the port and the server speak TLS 1.2 or later? (https:// rather than http://)"},
    [FAILURE_PROXY] = {"the proxy failed", "check the proxy option, or pass proxy = false to go without"},
    [FAILURE_PROTOCOL] = {"the answer is not valid HTTP", "is this an HTTP server, and is the port right?"},
    [FAILURE_TOO_BIG] = {"the response is too big", "raise the maxResponseSize option"},
    [FAILURE_REDIRECT] = {"the redirect was not followed",
                          "use the URI that the server redirects to, if you trust it"},
    [FAILURE_FILE] = {"a file to send could not be read", "check the file and the right to read it"},
    [FAILURE_CANCELLED] = {"cancelled", NULL},
    [FAILURE_MEMORY] = {"not enough memory", NULL},
};

const char *curl_failure_name (enum failure f) {
  return (size_t)f < sizeof classes / sizeof *classes ? classes[f].name : "unknown failure";
}

/* Texts of libcurl and OpenSSL, in the order in which they are searched for. */
static const struct {
  const char *words, *hint;
} texts[] = {
    {"alert certificate required",
     "the server asks for a client certificate: pass clientCertificate and clientKey"},
    {"alert handshake failure",
     "the server refuses this client: if it asks for a certificate, pass clientCertificate and clientKey"},
    {"alert bad certificate",
     "the server refused the client certificate: check clientCertificate and clientKey"},
    {"alert certificate", "the server refused the client certificate: check clientCertificate"},
    {"alert access denied", "the server refused the client certificate: check clientCertificate"},
    {"alert unknown ca", "the server does not trust the client certificate: check clientCertificate"},
    {"alert protocol version", "the server's TLS is outdated and refused: it must be updated"},
    {"does not match pinned", "the server's public key is not the pinned one: is it the right server? a "
                              "renewed key needs a new pinnedPublicKey"},
    {"certificate revoked", "the server's certificate was revoked, as crlFile says: it must be replaced"},
    {"unable to get certificate CRL", "crlFile lacks the list of a CA in the server's chain: add it"},
    {"CRL has expired", "the list of revoked certificates has expired: renew crlFile"},
    {"CRL is not yet valid",
     "the list of revoked certificates is not valid yet: is this machine's clock right?"},
    {"unable to get local issuer", "certificate not trusted: pass caFile with the server's CA certificate"},
    {"self-signed", "certificate not trusted: pass caFile with the server's CA certificate"},
    {"self signed", "certificate not trusted: pass caFile with the server's CA certificate"},
    {"signer not", "certificate not trusted: pass caFile with the server's CA certificate"},
    {"has expired",
     "the server's certificate has expired: it must be renewed (is this machine's clock right?)"},
    {"not yet valid", "the server's certificate is not valid yet: is this machine's clock right?"},
    {"does not match", "the certificate is for another name: use the name in the URI that it was issued for"},
    {"alternative certificate subject",
     "the certificate is for another name: use the name in the URI that it was issued for"},
    {"wrong version number", "no TLS is spoken on this port: should the URI begin with http://?"},
    {"dh key too small", "the server's TLS is outdated and refused: it must be updated"},
    {"unsupported protocol", "the server's TLS is outdated and refused: it must be updated"},
};

static const char *hint_of_text (const char *text) {
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (strstr(text, texts[i].words)) return texts[i].hint;
  return NULL;
}

static enum failure class_of_code (CURLcode code) {
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return FAILURE_TIMEOUT;
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_PROXY: return FAILURE_PROXY;
  case CURLE_COULDNT_CONNECT:
  case CURLE_INTERFACE_FAILED:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
  case CURLE_SEND_ERROR:
  case CURLE_SEND_FAIL_REWIND:
  case CURLE_RECV_ERROR: return FAILURE_CONNECT;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_SHUTDOWN_FAILED:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_CLIENTCERT:
  case CURLE_USE_SSL_FAILED: return FAILURE_TLS;
  default: return FAILURE_PROTOCOL;
  }
}

/* The environment variable from which libcurl takes the proxy, in libcurl's order; NULL: none. */
static const char *proxy_variable (const struct exchange *x) {
  static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
  static const char *const secure[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
  const struct transport *t = x->request.transport;
  if (t->no_proxy || t->proxy || !t->environment_proxy) return NULL;
  for (const char *const *name = uri_is_https(x->response.uri) ? secure : plain; *name; name++)
    if (getenv(*name)) return *name;
  return NULL; /* GCOVR_EXCL_LINE: libcurl used a proxy that no option named, so one of them is set */
}

static const char *proxy_hint (const struct exchange *x) {
  static const char *const hints[] = {
      "the proxy came from the environment variable http_proxy: pass proxy = false to go without",
      "the proxy came from the environment variable https_proxy: pass proxy = false to go without",
      "the proxy came from the environment variable HTTPS_PROXY: pass proxy = false to go without",
      "the proxy came from the environment variable all_proxy: pass proxy = false to go without",
      "the proxy came from the environment variable ALL_PROXY: pass proxy = false to go without",
  };
  const char *variable = proxy_variable(x);
  for (size_t i = 0; variable && i < sizeof hints / sizeof *hints; i++)
    if (strstr(hints[i], variable)) return hints[i];
  return NULL;
}

#if LIBCURL_VERSION_NUM >= 0x080700
static bool used_proxy (const struct exchange *x, CURL *easy, const char *text) {
  long used = 0;
  (void)x;
  if (curl_easy_getinfo(easy, CURLINFO_USED_PROXY, &used) == CURLE_OK && used) return true;
  return strstr(text, "roxy"); /* libcurl rejects a malformed proxy URI before it uses the proxy */
}
#else
/* This libcurl has no CURLINFO_USED_PROXY, but its text names the proxy or the host that it called. */
static bool used_proxy (const struct exchange *x, CURL *easy, const char *text) {
  char host[256], port[8], called[300], called_ipv6[300];
  const char *words = strstr(text, "onnect to "), *own = strstr(uri_origin(x->response.uri), "://") + 3;
  (void)easy;
  if (!words || sscanf(words, "onnect to %255s port %7[0-9]", host, port) != 2) return strstr(text, "roxy");
  snprintf(called, sizeof called, "%s:%s", host, port);
  snprintf(called_ipv6, sizeof called_ipv6, "[%s]:%s", host, port);
  return !ascii_same(called, own) && !ascii_same(called_ipv6, own);
}
#endif

static bool went_by_proxy (const struct exchange *x, CURL *easy, const char *text) {
  const struct transport *t = x->request.transport;
  return !t->no_proxy && (t->proxy || proxy_variable(x)) && used_proxy(x, easy, text);
}

/* The status with which the proxy answered CONNECT; 0: no CONNECT was sent. */
static long connect_status (CURL *easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return status;
}

static bool proxy_refused (CURL *easy) {
  long status = connect_status(easy);
  return status != 0 && status != 200;
}

enum { PROXY_WANTS_LOGIN = 407 };
static const char proxy_login_hint[] =
    "put a user and password that the proxy takes into its URI: http://user:password@host:port";

bool curl_failure_of_proxy (struct exchange *x) {
  const struct transport *t = x->request.transport;
  if (x->response.status != PROXY_WANTS_LOGIN || t->no_proxy || (!t->proxy && !proxy_variable(x)))
    return false;
  curl_failure_note(x, FAILURE_PROXY, proxy_login_hint, "the proxy wants a user and password (HTTP 407)");
  return true;
}

static enum failure class_of_connect (const struct exchange *x, CURL *easy, const char *text) {
  long number = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
  if (number == NET_UNREACHABLE || number == NET_DOWN) return FAILURE_DEVICE;
  return went_by_proxy(x, easy, text) ? FAILURE_PROXY : FAILURE_CONNECT;
}

static bool is_amid_headers (const struct exchange *x, CURL *easy) {
  curl_off_t first = 0;
  curl_easy_getinfo(easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
  return x->run->reached && first > 0 && !x->run->block_complete;
}

/*
** True if a header line passed libcurl's own limit. Before 8.6 libcurl reports that as out of memory, after
** it has closed the connection.
*/
static bool is_beyond_limits (const struct exchange *x, CURL *easy, CURLcode code) {
  enum { LINE_LIMIT = 100 * 1024 };
  const struct handle *h = x->run->handle;
#if LIBCURL_VERSION_NUM >= 0x080600
  if (code == CURLE_TOO_LARGE) return is_amid_headers(x, easy);
#endif
  return code == CURLE_OUT_OF_MEMORY && is_amid_headers(x, easy) &&
         sockets_received(h->sockets, h->port) >= LINE_LIMIT;
}

/* True for a numeric address, which needs no resolver. */
static bool is_address (const struct uri *u) {
  const char *host = strstr(uri_origin(u), "://") + 3;
  char text[INET_ADDRSTRLEN];
  size_t length = strcspn(host, ":");
  struct in_addr address;
  if (*host == '[') return true;
  if (length >= sizeof text) return false;
  memcpy(text, host, length);
  text[length] = '\0';
  return inet_pton(AF_INET, text, &address) == 1;
}

/* libcurl parsed our URIs before, so it fails at one only when it runs out of memory. */
static enum failure class_of_malformed (const struct exchange *x, CURL *easy, const char *text) {
  if (strstr(text, "No URL set")) return FAILURE_MEMORY;
  return went_by_proxy(x, easy, text) ? FAILURE_PROTOCOL : FAILURE_MEMORY;
}

/*
** True for a TLS alert. Since TLS 1.3 a server checks the client's certificate after the client has completed
** the handshake.
*/
static bool is_alert (const char *text) {
  return strstr(text, "SSL") && strstr(text, " alert ");
}

static enum failure classify (const struct exchange *x, CURL *easy, CURLcode code, const char *text) {
  switch (code) {
  case CURLE_COULDNT_CONNECT: return class_of_connect(x, easy, text);
  case CURLE_OUT_OF_MEMORY: return is_beyond_limits(x, easy, code) ? FAILURE_PROTOCOL : FAILURE_MEMORY;
  case CURLE_COULDNT_RESOLVE_HOST: return is_address(x->response.uri) ? FAILURE_MEMORY : FAILURE_DNS;
  case CURLE_URL_MALFORMAT: return class_of_malformed(x, easy, text);
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
    if (proxy_refused(easy)) return FAILURE_PROXY;
    if (is_alert(text)) return FAILURE_TLS;
    return strstr(text, "chunk") ? FAILURE_PROTOCOL : FAILURE_CONNECT;
  default: return class_of_code(code);
  }
}

static const char *hint_of_client (const struct transport *t) {
  return t->key_password ? "clientCertificate or clientKey cannot be used: are they PEM, a pair, and is "
                           "clientKeyPassword right?"
                         : "clientCertificate or clientKey cannot be used: are they PEM, and a pair? an "
                           "encrypted key needs "
                           "clientKeyPassword";
}

/* True if the failure is that of a TLS server that receives plain http. */
static bool may_want_https (const struct exchange *x, CURLcode code) {
  if (uri_is_https(x->response.uri) || x->response.redirects) return false;
  return code == CURLE_GOT_NOTHING || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY;
}

static const char *hint_of_code (const struct exchange *x, CURLcode code) {
  if (may_want_https(x, code)) return code == CURLE_GOT_NOTHING ? closed_plain_hint : https_hint;
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT:
    return "are the host and the port right? if so, raise the connectTimeout option";
  case CURLE_COULDNT_CONNECT: return refused_hint;
  /* GCOVR_EXCL_START: run where libcurl multiplexes, from 8.x on */
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM: return http2_hint;
  /* GCOVR_EXCL_STOP */
  case CURLE_SSL_CACERT_BADFILE: return "caFile or caPath cannot be read, or holds no PEM certificate";
  case CURLE_SSL_CRL_BADFILE: return "crlFile cannot be read, or holds no PEM list of revoked certificates";
  case CURLE_SSL_CERTPROBLEM: return hint_of_client(x->request.transport);
  case CURLE_BAD_FUNCTION_ARGUMENT: return "an option holds what cannot be sent: check userAgent";
  default: return NULL;
  }
}

static const char *find_hint (const struct exchange *x, CURL *easy, CURLcode code, const char *text) {
  enum failure f = x->response.failure;
  const char *hint = NULL;
  if (f == FAILURE_PROXY) hint = connect_status(easy) == PROXY_WANTS_LOGIN ? proxy_login_hint : proxy_hint(x);
  if (f == FAILURE_TLS) hint = hint_of_text(text);
  if (f == FAILURE_CONNECT && x->run->reached && x->run->handle->stream.id) hint = http2_hint;
  if (!hint && f != FAILURE_PROXY && f != FAILURE_DEVICE) hint = hint_of_code(x, code);
  return hint ? hint : classes[f].hint;
}

/* Keeps printable characters only. */
static void set_detail (struct exchange *x, const char *text) {
  char *to = x->response.detail;
  size_t room = sizeof x->response.detail - 1;
  for (; *text && room; text++)
    if ((unsigned char)*text >= ' ' && *text != 0x7f) *to++ = *text, room--;
  *to = '\0';
}

void curl_failure_note (struct exchange *x, enum failure failure, const char *hint, const char *format, ...) {
  char text[sizeof x->response.detail];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  set_detail(x, text);
  x->response.failure = failure;
  x->response.hint = hint ? hint : classes[failure].hint;
}

/*
** libcurl quotes a proxy's URI that it cannot parse, with the password: a text with an '@' is dropped. Its
** other texts hold names of hosts and files, numbers, and texts of the system and the TLS library.
*/
static const char *clean_text (CURLcode code, const char *text) {
  return *text && !strchr(text, '@') ? text : curl_easy_strerror(code);
}

/* Each library words this failure differently or not at all, so the text is of no use here. */
bool curl_failure_for_descriptors (const struct exchange *x, CURLcode code) {
  switch (code) {
  case CURLE_COULDNT_CONNECT:
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_FAILED_INIT:
  case CURLE_OUT_OF_MEMORY:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CRL_BADFILE: return !x->run->reached && descriptors_are_short();
  default: return false;
  }
}

/*
** libcurl 8.23 reports some failures by other codes, with the texts of older versions: maps them to the older
** codes.
*/
static CURLcode usual_code (CURLcode code, const char *text) {
  if (code == CURLE_COULDNT_CONNECT && strstr(text, "CONNECT tunnel failed")) return CURLE_RECV_ERROR;
  if (code == CURLE_BAD_FUNCTION_ARGUMENT &&
      (strstr(text, "private key") || strstr(text, "client certificate")))
    return CURLE_SSL_CERTPROBLEM; /* GCOVR_EXCL_LINE: run from libcurl 8.23 on */
  return code;
}

void curl_failure_explain (struct exchange *x, CURL *easy, CURLcode code, const char *text) {
  if (x->response.failure != FAILURE_NONE) return;
  code = usual_code(code, text);
  if (curl_failure_for_descriptors(x, code)) {
    curl_failure_note(x, FAILURE_MEMORY,
                      "raise this process's limit of open files (ulimit -n), or close some",
                      "no file descriptor is left for a connection");
    return;
  }
  x->response.failure = classify(x, easy, code, text);
  x->response.hint = find_hint(x, easy, code, text);
  if (is_beyond_limits(x, easy, code)) {
    set_detail(x, "a header line of the response is longer than 100 KiB, or its header lines than 300 KiB");
    x->response.hint = headers_hint;
  } else if (x->response.failure == FAILURE_MEMORY)
    set_detail(x, "no memory for the transfer");
  else
    set_detail(x, clean_text(code, text));
}

void curl_failure_warn (struct exchange *x) {
  struct response *r = &x->response;
  if (!x->request.once || r->failure != FAILURE_CONNECT) return;
  r->hint = r->hint == http2_hint
                ? "the server may have acted on it: find out before it is sent again; the option "
                  "http2 = false does without HTTP/2"
                : "the server may have acted on it: find out before it is sent again";
}
