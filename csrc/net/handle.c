#include "net/handle.h"

#include "net/curl_failure.h"
#include "net/exchange_internal.h"
#include "net/handle_transport.h"
#include "net/record.h"
#include "net/version.h"

#include <stdio.h>
#include <string.h>
#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

/* True if this libcurl was built without the feature. */
/* GCOVR_EXCL_START: libcurl knows, and was built with, every option that can be left out */
static bool is_missing (CURLcode code) {
  return code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN;
}
/* GCOVR_EXCL_STOP */

/*
** libcurl 7.83 to 8.0 appends a header line that begins with a blank to the line before. For the first line
** of a response, that is a freed line of the handle's last response (curl's pull request 11103). With
** CURLOPT_HEADER libcurl passes a line to on_body before it parses it, so on_body can stop the transfer.
*/
static CURLcode set_preview (struct handle *h, enum handle_preview preview) {
  h->preview = preview;
  return curl_easy_setopt(h->easy, CURLOPT_HEADER, preview == PREVIEW_NONE ? 0L : 1L);
}

static bool pass_preview (struct handle *h, const char *data) {
  bool blank = h->preview == PREVIEW_NEXT && (*data == ' ' || *data == '\t');
  h->preview = PREVIEW_SHOWN; /* libcurl passes a long line in pieces */
  if (blank)
    curl_failure_note(h->exchange, FAILURE_PROTOCOL, NULL,
                      "the response's first header line begins with a blank");
  return !blank;
}

/*
** libcurl before 8.1 reads this option when the body comes, later versions before they pass the header on:
** see exchange_undecode.
*/
static CURLcode set_decoding (struct handle *h, bool undecoded) {
  CURLcode code = CURLE_OK;
  if (h->undecoded != undecoded)
    code = curl_easy_setopt(h->easy, CURLOPT_HTTP_CONTENT_DECODING, undecoded ? 0L : 1L);
  h->undecoded = undecoded;
  return code;
}

/*
** libcurl sends no more of a body when the answer is a refusal or a redirect, but does not notice while it
** waits for a piece.
*/
static CURLcode end_sending (struct handle *h) {
  const struct exchange_run *run = h->exchange->run;
  long status = 0;
  if (!run->starved || !run->block_complete) return CURLE_OK;
  curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
  return status < 300 || run->calls->refuse(h->exchange) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static size_t on_header (char *data, size_t size, size_t count, void *ud) {
  struct handle *h = ud;
  CURLcode code = CURLE_OK;
  (void)size; /* always 1 */
  if (h->preview != PREVIEW_NONE) code = set_preview(h, PREVIEW_NONE);
  if (!code && h->lines->previews && exchange_begins_answer(data, count)) code = set_preview(h, PREVIEW_NEXT);
  if (code || !exchange_take_header(h->exchange, data, count)) return 0;
  if (h->exchange->run->odd_encoding) code = set_decoding(h, true);
  if (!code) code = end_sending(h);
  return code ? 0 : count;
}

static double seconds_of (CURL *easy, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy, info, &microseconds);
  return (double)microseconds / 1e6;
}

static void note_upload (struct handle *h) {
  curl_off_t bytes = 0;
  curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &bytes);
  h->exchange->response.uploaded = (size_t)bytes;
}

void handle_note_times (struct handle *h) {
  struct exchange *x = h->exchange;
  struct timing *t = &x->response.timing;
  x->response.reused = h->reused;
  if (!h->reused) {
    t->resolve = seconds_of(h->easy, CURLINFO_NAMELOOKUP_TIME_T);
    t->connect = seconds_of(h->easy, CURLINFO_CONNECT_TIME_T);
    t->tls = seconds_of(h->easy, CURLINFO_APPCONNECT_TIME_T);
  } else if (x->run->http2) /* it may have waited for another transfer's handshake */
    t->ready = seconds_of(h->easy, CURLINFO_PRETRANSFER_TIME_T);
  t->first_byte = seconds_of(h->easy, CURLINFO_STARTTRANSFER_TIME_T);
  t->transfer = seconds_of(h->easy, CURLINFO_TOTAL_TIME_T);
  if (x->request.upload) note_upload(h);
}

/* For the first bytes of a body. The owner of one that flows sees the response before its end. */
static enum exchange_taking begin_body (struct handle *h, const char *data, size_t count) {
  struct exchange *x = h->exchange;
  long status = 0;
  curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
  enum exchange_taking taking = exchange_take_body(x, data, count, status);
  if (x->run->flows) {
    handle_note_times(h);
    x->response.timing.total = clock_now() - x->started;
  }
  return taking;
}

static enum exchange_taking take_body (struct handle *h, const char *data, size_t count) {
  if (!h->exchange->run->began_body) return begin_body(h, data, count);
  return exchange_take_body(h->exchange, data, count, 0);
}

static size_t on_body (char *data, size_t size, size_t count, void *ud) {
  struct handle *h = ud;
  (void)size; /* always 1 */
  if (h->preview != PREVIEW_NONE) return pass_preview(h, data) ? count : 0;
  switch (take_body(h, data, count)) {
  case EXCHANGE_TOOK:
    if (h->exchange->run->record) record_body(h->exchange->run->record, data, count);
    return count;
  case EXCHANGE_PAUSES: return CURL_WRITEFUNC_PAUSE;
  default: return 0;
  }
}

/* True if the transfer uses a kept connection: libcurl's own retry may use a new one. */
static bool is_reused (const struct handle *h) {
  long connects = 1;
  curl_easy_getinfo(h->easy, CURLINFO_NUM_CONNECTS, &connects);
  return !connects;
}

/*
** True if a kept connection has input before the request is sent. An unsolicited response would be taken for
** the response to this request, and the end of a TLS connection would be noticed too late. libcurl 7.88
** checks for neither.
*/
static bool has_stale_input (const struct handle *h) {
  return h->reused && !h->exchange->run->reached && sockets_has_input(h->sockets, h->port);
}

/*
** True, once in a hop, if the error text belongs to another connection. libcurl 8 checks kept connections
** before it makes a new one; the text of a broken one then becomes this transfer's, whose own failure has no
** text.
*/
static bool has_foreign_text (struct handle *h) {
  struct exchange *x = h->exchange;
  if (x->run->reached || x->run->dropped) return false;
  x->run->dropped = strstr(h->error, "SSL_read") != NULL;
  return x->run->dropped;
}

enum { MOST_REFUSALS = 100 }; /* a server that ends its connections early needs fewer */

/* False: the server refused too often; a failure is noted. */
static bool may_follow_refusal (struct exchange *x) {
  if (x->run->refusals < MOST_REFUSALS) return true;
  curl_failure_note(x, FAILURE_CONNECT,
                    "the server ends its connections early, or is too busy: its log may say why",
                    "the server refused the request unprocessed, %d times", x->run->refusals);
  return false;
}

/* True if the request may not be sent twice; a failure is then noted. */
static bool note_once (struct exchange *x) {
  if (!x->request.once) return false;
  curl_failure_note(x, FAILURE_CONNECT, NULL, "the kept connection was closed before an answer came");
  return true;
}

/* True if the request's body cannot be sent again; a failure is then noted. */
static bool note_spent (struct exchange *x) {
  bool spent = exchange_is_spent(x);
  if (spent) exchange_note_spent(x);
  return spent;
}

/* True if a request that was sent in this hop may be sent again. */
static bool may_resend (struct handle *h) {
  struct exchange *x = h->exchange;
  h->retried = true;
  if (stream_was_refused(&h->stream, h->sockets)) {
    x->run->refusals++;
    return may_follow_refusal(x) && !note_spent(x);
  }
  if (note_once(x) || note_spent(x)) return false;
  h->unsure = true;
  return true;
}

/*
** libcurl calls this before it sends a request. The second call in a hop follows libcurl's own retry, after a
** kept connection was dead or the server had refused the stream, or a retry of ours by handle_tries_again.
*/
static int on_request (void *ud, char *ip, char *local_ip, int port, int local_port) {
  struct handle *h = ud;
  struct exchange *x = h->exchange;
  (void)local_ip;
  h->port = local_port;
  if (x->run->record) record_peer(x->run->record, ip, port, local_port);
  h->reused = is_reused(h);
  h->stale = has_stale_input(h) || (!h->reused && has_foreign_text(h)); /* an alert of TLS 1.3 may follow */
  if (h->stale) return CURL_PREREQFUNC_ABORT;
  /* Not only after a response: libcurl 8.23 keeps a connection that broke while it sent the first request. */
  if (!h->reused && !h->http2) sockets_set_quiet(h->sockets, h->port);
  if (x->run->reached && !may_resend(h)) return CURL_PREREQFUNC_ABORT;
  x->run->reached = true;
  if (x->run->stall > 0) x->run->active = clock_now();
  stream_begin(&h->stream, local_port);
  return CURL_PREREQFUNC_OK;
}

static int on_log (CURL *easy, curl_infotype type, char *text, size_t length, void *ud) {
  struct handle *h = ud;
  (void)easy;
  if (!h->exchange) return 0;
  if (h->exchange->run->record) record_log(h->exchange->run->record, (int)type, text, length);
  if (type == CURLINFO_TEXT) stream_note(&h->stream, h->sockets, text, length);
  return 0;
}

static bool may_connect (struct handle *h) {
  h->stranded = h->presumes;
  return !h->stranded;
}

static int on_resolve (void *state, void *reserved, void *ud) {
  (void)state, (void)reserved;
  return !may_connect(ud);
}

/* Programs that the host executes must not inherit a session's connections. */
static int on_new_socket (void *ud, curl_socket_t fd, curlsocktype purpose) {
  struct handle *h = ud;
  (void)purpose;
  if (!may_connect(h)) return CURL_SOCKOPT_ERROR;
#ifndef _WIN32
  fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
  sockets_add(h->sockets, fd);
  return CURL_SOCKOPT_OK;
}

static int on_old_socket (void *ud, curl_socket_t fd) {
  sockets_note_end(ud, fd);
  sockets_remove(ud, fd);
#ifndef _WIN32
  return close(fd);
#else
  return closesocket(fd);
#endif
}

/*
** Sizes of the receive buffer, which libcurl allocates and wipes for each transfer. With plain http a larger
** one hardly saves time. FRAME_BUFFER holds more than libcurl before 8.1 reads at once over HTTP/2 (32 KB),
** and the headers that it decodes from that. With less, libcurl stops in the middle of a frame and forgets
** its end when it has read nothing else, and the transfer hangs.
*/
enum { BRIEF_BUFFER = 1024, USUAL_BUFFER = 8192, FRAME_BUFFER = 65536 };

enum { SENT_BUFFER = 16384 }; /* the least that libcurl accepts; each handle keeps one */

static const struct {
  CURLoption option;
  long value;
} base_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_NOPROGRESS, 1},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_UNRESTRICTED_AUTH, 0},
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_BUFFERSIZE, FRAME_BUFFER},
#if LIBCURL_VERSION_NUM < 0x075500
    {CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS},
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    {CURLOPT_QUICK_EXIT, 1}, /* the end of a transfer does not wait for the resolver */
#endif
#ifdef _WIN32
    {CURLOPT_SSL_OPTIONS, CURLSSLOPT_NATIVE_CA},
#endif
};

static CURLcode set_base_numbers (CURL *easy) {
  for (size_t i = 0; i < sizeof base_options / sizeof *base_options; i++) {
    CURLcode code = curl_easy_setopt(easy, base_options[i].option, base_options[i].value);
    if (code && !is_missing(code)) return code;
  }
  return CURLE_OK;
}

static CURLcode set_base_pointers (struct handle *h) {
  CURLcode code = curl_easy_setopt(h->easy, CURLOPT_PRIVATE, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_header);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_PREREQFUNCTION, on_request);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_PREREQDATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_SOCKOPTFUNCTION, on_new_socket);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_SOCKOPTDATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_RESOLVER_START_DATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_CLOSESOCKETFUNCTION, on_old_socket);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_CLOSESOCKETDATA, (void *)h->sockets);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_DEBUGFUNCTION, on_log);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_DEBUGDATA, (void *)h);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "");
#if LIBCURL_VERSION_NUM >= 0x075500
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
  return code;
}

/*
** libcurl 7.88 would send requests that may use HTTP/2 side by side on an HTTP/1.1 connection of another one,
** and mix up their responses. It never shares a connection between two settings of TLS, so HTTP/1.1 gets one
** of its own: a highest version that is the default means the same as none.
*/
static CURLcode set_tls_version (CURL *easy, bool http2) {
  long version = CURL_SSLVERSION_TLSv1_2 | (http2 ? CURL_SSLVERSION_MAX_NONE : CURL_SSLVERSION_MAX_DEFAULT);
  return curl_easy_setopt(easy, CURLOPT_SSLVERSION, version);
}

/*
** With CURLOPT_PIPEWAIT a request waits while the first connection is set up, to share it: else requests that
** begin together would each open one.
*/
static CURLcode set_http_version (struct handle *h, bool https, bool http2) {
  CURLcode code = CURLE_UNSUPPORTED_PROTOCOL;
  bool two = false;
  if (http2) code = curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  two = !code;
  if (code) code = curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_PIPEWAIT, two ? 1L : 0L);
  if (!code && https) code = set_tls_version(h->easy, two);
  h->https = https;
  h->http2 = http2;
  return code;
}

/* on_log is needed for HTTP/2, and for a record. */
static CURLcode set_verbose (struct handle *h, bool verbose) {
  CURLcode code = CURLE_OK;
  if (h->verbose != verbose) code = curl_easy_setopt(h->easy, CURLOPT_VERBOSE, verbose ? 1L : 0L);
  h->verbose = verbose;
  return code;
}

static CURLcode set_base (struct handle *h) {
  CURLcode code = set_base_numbers(h->easy);
  h->buffer = FRAME_BUFFER;
  h->fresh_set = false;
  /* GCOVR_EXCL_START: run from libcurl 8.7 on */
  if (!code && h->lines->keeps_sent)
    code = curl_easy_setopt(h->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)SENT_BUFFER);
  /* GCOVR_EXCL_STOP */
  if (!code) code = set_base_pointers(h);
  h->verbose = false;
  if (!code) code = set_http_version(h, false, false);
  return code;
}

void handle_lines_init (struct handle_lines *lines) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  bool zlib = info->features & CURL_VERSION_LIBZ, brotli = info->features & CURL_VERSION_BROTLI;
  bool zstd = info->features & CURL_VERSION_ZSTD;
  snprintf(lines->encodings, sizeof lines->encodings, "Accept-Encoding: %s%s%s",
           zlib ? "deflate, gzip" : "identity", brotli ? ", br" : "", zstd ? ", zstd" : "");
  snprintf(lines->user_agent, sizeof lines->user_agent, "User-Agent: datasession/%s libcurl/%s",
           DATASESSION_VERSION, info->version);
  snprintf(lines->both, sizeof lines->both, "%s\r\n%s", lines->encodings, lines->user_agent);
  lines->version = info->version_num;
  lines->keeps_sent = info->version_num >= 0x080700;
  lines->stops_in_frames = info->version_num < 0x080100;
  lines->previews = info->version_num >= 0x075300 && info->version_num < 0x080100;
}

struct handle *handle_new (const struct allocator *memory, const struct handle_lines *lines,
                           struct sockets *sockets) {
  struct handle *h = memory_new(memory, sizeof *h);
  if (!h) return NULL;
  h->memory = memory;
  h->lines = lines;
  h->sockets = sockets;
  h->easy = curl_easy_init();
  if (h->easy && !set_base(h)) return h;
  handle_free(h);
  return NULL;
}

/* Releases our references only: libcurl has forgotten them already or is given others next. */
static void release_session (struct handle *h) {
  uri_release(h->uri);
  header_list_release(h->headers);
  basic_auth_release(h->credentials);
  transport_release(h->transport);
  h->uri = NULL;
  h->headers = NULL;
  h->credentials = NULL;
  h->transport = NULL;
}

static void detach_jar (struct handle *h) {
  if (!h->jar) return;
  cookie_jar_detach(h->jar, h->easy);
  cookie_jar_release(h->jar);
  h->jar = NULL;
}

void handle_free (struct handle *h) {
  if (!h) return;
  detach_jar(h);
  if (h->easy) curl_easy_cleanup(h->easy);
  curl_mime_free(h->mime);
  release_session(h);
  memory_free(h->memory, h, sizeof *h);
}

/* Not by curl_easy_reset, which leaves a broken handle when memory runs out and does not report it. */
CURLcode handle_forget (struct handle *h) {
  CURL *fresh = curl_easy_init();
  if (!fresh) return CURLE_OUT_OF_MEMORY;
  detach_jar(h);
  curl_easy_cleanup(h->easy);
  curl_mime_free(h->mime);
  h->mime = NULL;
  h->easy = fresh;
  release_session(h);
  h->retried = h->unsure = h->keeps_cookies = h->lines_set = h->custom = h->undecoded = false;
  h->sent_body = h->kept = h->tells = h->lacks_authorities = h->lacks_proxy_authorities = false;
  h->connect_limit = 0;
  h->preview = PREVIEW_NONE;
  h->shape = SHAPE_NONE;
  return set_base(h);
}

static CURLcode set_transport (struct handle *h, struct transport *t, bool https) {
  CURLcode code = CURLE_OK;
  if (h->transport && h->https == https && transport_same_connection(h->transport, t)) return CURLE_OK;
  if (handle_transport_needs_new(h, t, https)) code = handle_forget(h);
  if (!code) code = handle_transport_set(h, t, https);
  h->kept = false;
  transport_release(h->transport);
  h->transport = transport_keep(t);
  return code;
}

static CURLcode set_version (struct handle *h, const struct exchange *x) {
  bool https = uri_is_https(x->response.uri), http2 = https && x->run->http2;
  return h->https == https && h->http2 == http2 ? CURLE_OK : set_http_version(h, https, http2);
}

/*
** Sets CURLOPT_URL too: before 8.x a handle with a new CURLU keeps the old URI's text, and a retry on a new
** connection would go there.
*/
static CURLcode set_uri (struct handle *h, struct uri *u) {
  CURLcode code = CURLE_OK;
  if (h->uri == u) return CURLE_OK;
  code = curl_easy_setopt(h->easy, CURLOPT_URL, NULL);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_CURLU, uri_handle(u));
  uri_release(h->uri);
  h->uri = uri_keep(u);
  return code;
}

static bool lacks (const struct header_list *list, const char *name) {
  return !list || !header_list_has(list, name);
}

/*
** True if libcurl must not send "Expect: 100-continue" unless the program does. It does so for bodies of this
** size only, and each header line costs.
*/
static bool needs_no_expect (const struct exchange *x) {
  if (!x->run->sends_body || (!x->request.upload && x->request.body.length < 65536)) return false;
  return lacks(x->request.headers, "Expect");
}

static bool is (const char *method, const char *name) {
  return *method == *name && strcmp(method, name) == 0;
}

static enum handle_shape shape_of (const struct exchange *x) {
  if (is(x->run->method, "HEAD")) return SHAPE_HEAD;
  if (x->run->sends_body || is(x->run->method, "POST")) return SHAPE_BODY;
  return is(x->run->method, "PUT") || is(x->run->method, "PATCH") ? SHAPE_BODY : SHAPE_GET;
}

static bool sends_form (const struct exchange *x) {
  return x->run->sends_body && x->request.upload && x->request.upload->kind == UPLOAD_FORM;
}

static unsigned lines_kind_of (const struct handle *h, const struct exchange *x) {
  unsigned kind = h->transport->user_agent ? LINES_OWN_AGENT : 0;
  if (needs_no_expect(x)) kind |= LINES_UNEXPECTING;
  if (shape_of(x) == SHAPE_BODY && !sends_form(x) && lacks(x->request.headers, "Content-Type"))
    kind |= LINES_TYPELESS;
  return kind;
}

/* The exchange's own lines, after those of ours that it does not replace. */
static struct curl_slist *link_lines (struct handle *h, const struct header_list *list,
                                      struct curl_slist *first) {
  struct curl_slist *free = h->ready;
  bool agent = !(h->lines_kind & LINES_OWN_AGENT) && lacks(list, "User-Agent");
  bool encodings = lacks(list, "Accept-Encoding");
  if (h->lines_kind & LINES_UNEXPECTING)
    *free = (struct curl_slist){(char *)"Expect:", first}, first = free++;
  if (h->lines_kind & LINES_TYPELESS)
    *free = (struct curl_slist){(char *)"Content-Type:", first}, first = free++;
  if (h->credentials && lacks(list, "Authorization"))
    *free = (struct curl_slist){h->credentials->line, first}, first = free++;
  if (agent && encodings)
    *free = (struct curl_slist){(char *)h->lines->both, first}, first = free++;
  else if (encodings)
    *free = (struct curl_slist){(char *)h->lines->encodings, first}, first = free++;
  else if (agent)
    *free = (struct curl_slist){(char *)h->lines->user_agent, first}, first = free++;
  return first;
}

static bool has_lines (const struct handle *h, const struct request *r, unsigned kind) {
  return h->lines_set && h->headers == r->headers && h->credentials == r->credentials &&
         h->lines_kind == kind;
}

static void keep_lines (struct handle *h, const struct request *r) {
  header_list_keep(r->headers);
  header_list_release(h->headers);
  h->headers = r->headers;
  basic_auth_keep(r->credentials);
  basic_auth_release(h->credentials);
  h->credentials = r->credentials;
}

/* libcurl only reads the lines. */
static CURLcode set_headers (struct handle *h, const struct exchange *x) {
  const struct request *r = &x->request;
  unsigned kind = lines_kind_of(h, x);
  struct curl_slist *first = NULL;
  if (has_lines(h, r, kind)) return CURLE_OK;
  if (r->headers && !header_list_lines(r->headers, &first)) return CURLE_OUT_OF_MEMORY;
  keep_lines(h, r);
  h->lines_set = true;
  h->lines_kind = kind;
  return curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, link_lines(h, r->headers, first));
}

/*
** libcurl keeps cookies in the attached share, or in the handle itself once cookies are enabled. So they are
** enabled only while a jar is attached. Enabling them twice would grow libcurl's list of cookie files.
*/
static CURLcode set_jar (struct handle *h, struct cookie_jar *jar) {
  CURLcode code = CURLE_OK;
  if (h->jar == jar) return CURLE_OK;
  detach_jar(h);
  if (jar) code = cookie_jar_attach(jar, h->easy);
  if (!code) h->jar = cookie_jar_keep(jar);
  if (!code && h->keeps_cookies != (jar != NULL))
    code = curl_easy_setopt(h->easy, CURLOPT_COOKIEFILE, jar ? "" : NULL);
  h->keeps_cookies = jar != NULL;
  return code;
}

static const char *natural_method (enum handle_shape shape) {
  return shape == SHAPE_HEAD ? "HEAD" : shape == SHAPE_BODY ? "POST" : "GET";
}

static void drop_form (struct handle *h) {
  if (!h->mime) return;
  curl_easy_setopt(h->easy, CURLOPT_MIMEPOST, NULL);
  curl_mime_free(h->mime);
  h->mime = NULL;
}

static CURLcode set_body (struct handle *h, struct exchange *x) {
  const struct buffer *body = &x->request.body;
  if (x->run->sends_body && x->request.upload) {
    h->sent_body = true;
    drop_form(h);
    return upload_begin(x->request.upload, x, h->easy, &h->mime);
  }
  bool empty = !x->run->sends_body || !body->length;
  curl_off_t length = empty ? 0 : (curl_off_t)body->length;
  CURLcode code = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, length);
  if (!code) code = curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, empty ? "" : body->data);
  h->sent_body = h->sent_body || !empty;
  return code;
}

/* CURLOPT_POSTFIELDS makes the request a POST, even with NULL, so CURLOPT_HTTPGET comes last. */
static void drop_body (struct handle *h) {
  drop_form(h);
  curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)-1);
  curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
  h->shape = SHAPE_GET;
}

/*
** A body is always set, because it is borrowed from the exchange. NOBODY must be off for it, or POST would be
** HEAD.
*/
static CURLcode set_shape (struct handle *h, enum handle_shape shape, struct exchange *x) {
  CURLcode code = CURLE_OK;
  if (h->shape == SHAPE_BODY && shape != SHAPE_BODY) drop_body(h);
  if (shape == h->shape && shape != SHAPE_BODY) return CURLE_OK;
  if (shape == SHAPE_GET) code = curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
  if (shape == SHAPE_HEAD) code = curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
  if (shape == SHAPE_BODY && h->shape == SHAPE_HEAD) code = curl_easy_setopt(h->easy, CURLOPT_NOBODY, 0L);
  if (shape == SHAPE_BODY && !code) code = set_body(h, x);
  h->shape = shape;
  return code;
}

static CURLcode set_message (struct handle *h, struct exchange *x) {
  enum handle_shape shape = shape_of(x);
  bool custom = !is(x->run->method, natural_method(shape));
  CURLcode code = set_shape(h, shape, x);
  if (!code && (custom || h->custom))
    code = curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, custom ? x->run->method : NULL);
  h->custom = custom;
  return code;
}

/*
** A limit for connecting costs a tenth of a small request, even without a new connection. So none is set
** while the last transfer's connection should still be open. If it is not, on_resolve or on_new_socket stops
** the transfer, and it is retried with a limit.
*/
static CURLcode set_connecting (struct handle *h, const struct exchange *x) {
  double limit = x->request.transport->connect_timeout;
  CURLcode code = CURLE_OK;
  h->stranded = false;
  h->presumes = h->kept && h->uri && (h->uri == x->response.uri || uri_same_origin(h->uri, x->response.uri));
  if (h->presumes) limit = 0;
  if (h->connect_limit != limit)
    code = curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)clock_milliseconds(limit));
  h->connect_limit = limit;
  return code;
}

static long buffer_of (const struct exchange *x) {
  if (uri_is_https(x->response.uri)) return FRAME_BUFFER;
  if (x->request.window) return FRAME_BUFFER; /* a large body takes a fifth less time */
  return x->request.brief ? BRIEF_BUFFER : USUAL_BUFFER;
}

/*
** A transfer that failed before it had a connection leaves a buffer that libcurl cannot resize. A larger one
** is good enough; a new handle has the largest.
*/
static CURLcode set_buffer (struct handle *h, long size) {
  CURLcode code;
  if (h->buffer == size) return CURLE_OK;
  code = curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, size);
  if (code == CURLE_BAD_FUNCTION_ARGUMENT) return h->buffer > size ? CURLE_OK : handle_forget(h);
  h->buffer = size;
  return code;
}

/*
** True if the handle will hold credentials of the session. The jar notes that, and pool_forget_jar acts on
** it.
*/
static bool sends_credentials (const struct handle *h, const struct request *r) {
  return h->lines->keeps_sent && (r->credentials || !lacks(r->headers, "Authorization"));
}

/* After a kept connection broke, the others may be broken too: use a new one. */
static CURLcode set_fresh (struct handle *h) {
  CURLcode code = CURLE_OK;
  if (h->fresh != h->fresh_set) code = curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, h->fresh ? 1L : 0L);
  h->fresh_set = h->fresh;
  h->fresh = false;
  return code;
}

/* Notes the numbers of libcurl's progress, which is 0 for a size that is not known. */
static int on_progress (void *ud, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
                        curl_off_t sent) {
  struct handle *h = ud;
  const struct upload *u = h->exchange->request.upload;
  struct progress now = {sent, to_send, received, to_receive}, *last = &h->exchange->progress;
  if (!to_receive) curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &to_receive);
  if (!to_send && exchange_to_send(h->exchange)) now.to_send = -1;
  if (u && now.to_send < 0 && sent > u->taken) now.sent = u->taken; /* libcurl counts the chunks' sizes too */
  now.to_receive = to_receive;
  if (memcmp(&now, last, sizeof now) == 0) return 0;
  *last = now;
  h->exchange->run->calls->tell(h->exchange);
  return 0;
}

static CURLcode set_progress (struct handle *h, bool on) {
  CURLcode code = curl_easy_setopt(h->easy, CURLOPT_NOPROGRESS, on ? 0L : 1L);
  if (!code && on) code = curl_easy_setopt(h->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  if (!code && on) code = curl_easy_setopt(h->easy, CURLOPT_XFERINFODATA, (void *)h);
  h->tells = on;
  return code;
}

CURLcode handle_prepare (struct handle *h, struct exchange *x) {
  const struct request *r = &x->request;
  if (!x->run->reached) stream_begin(&h->stream, 0);
  h->stream.port = 0;
  h->exchange = x;
  h->error[0] = '\0';
  CURLcode code = set_buffer(h, buffer_of(x));
  if (!code) code = set_transport(h, r->transport, uri_is_https(x->response.uri));
  if (!code) code = set_version(h, x);
  if (!code) code = set_verbose(h, h->http2 || x->run->record);
  if (!code) code = set_fresh(h);
  if (!code) code = set_connecting(h, x);
  if (!code) code = set_uri(h, x->response.uri);
  if (!code) code = set_headers(h, x);
  if (!code) code = set_decoding(h, x->run->undecoded);
  if (!code) code = set_jar(h, r->jar);
  if (!code && sends_credentials(h, r)) cookie_jar_note_secret(r->jar);
  if (!code) code = set_message(h, x);
  if (!code && h->tells != (x->progressed != NULL)) code = set_progress(h, x->progressed != NULL);
  if (!code && h->preview != PREVIEW_NONE) code = set_preview(h, PREVIEW_NONE);
  return code;
}

/*
** True if libcurl holds secrets: the last response's header lines, the URI, and its options for TLS and the
** proxy.
*/
static bool holds_secret (const struct handle *h) {
  const struct transport *t = h->transport;
  return (h->jar && cookie_jar_has_secret(h->jar)) || (h->uri && uri_hides(h->uri)) ||
         (t && (t->key_password || t->proxy));
}

CURLcode handle_let_go (struct handle *h) {
  CURLcode code;
  if (holds_secret(h)) return handle_forget(h);
  code = curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
  if (!code) code = set_jar(h, NULL);
  header_list_release(h->headers);
  basic_auth_release(h->credentials);
  h->headers = NULL;
  h->credentials = NULL;
  h->lines_set = false;
  return code;
}

/*
** True if the hop may be repeated. The server may have acted on what was sent on a kept connection that
** proved dead.
*/
static bool may_repeat (struct handle *h) {
  return !h->exchange->run->reached || may_resend(h);
}

static bool was_refused (struct handle *h) {
  struct exchange *x = h->exchange;
  if (!x->run->reached || x->response.failure != FAILURE_NONE || x->response.headers.length) return false;
  return stream_was_refused(&h->stream, h->sockets) && may_follow_refusal(x) && !note_spent(x);
}

/*
** True if a kept connection broke before a response came. libcurl 7.88 retries over HTTP/1 but not over
** HTTP/2; 8.23 not always.
*/
static bool was_dropped (struct handle *h, CURLcode code) {
  struct exchange *x = h->exchange;
  bool broke = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
               code == CURLE_PARTIAL_FILE || code == CURLE_HTTP2;
  if (!broke || !x->run->reached || !h->reused || x->run->header_bytes || x->response.failure != FAILURE_NONE)
    return false;
  if (x->request.once || x->run->dropped || note_spent(x)) return false;
  x->run->dropped = h->retried = h->unsure = true;
  return true;
}

/* True if the handshake failed and the error text does not say why. */
static bool lacks_text (struct handle *h, CURLcode code) {
  return (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR) && has_foreign_text(h);
}

bool handle_tries_again (struct handle *h, CURLcode code) {
  bool again = h->stale || (h->stranded && may_repeat(h)) || was_refused(h) || lacks_text(h, code);
  h->fresh = !again && was_dropped(h, code);
  again = again || h->fresh;
  h->stale = h->kept = false;
  return again;
}

void handle_note_connection (struct handle *h) {
  long version = 0;
  h->kept = h->reused;
  curl_easy_getinfo(h->easy, CURLINFO_HTTP_VERSION, &version);
  if (version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1)
    sockets_set_quiet(h->sockets, h->port);
}

int handle_likeness (const struct handle *h, const struct exchange *x) {
  const struct request *r = &x->request;
  return (h->jar == r->jar) + (h->uri == r->uri) + (h->headers == r->headers) +
         (h->credentials == r->credentials);
}

void handle_rest (struct handle *h) {
  if (h->shape == SHAPE_BODY) drop_body(h);
  if (h->exchange->request.upload) upload_end(h->exchange->request.upload);
  h->exchange = NULL;
}
