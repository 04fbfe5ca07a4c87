#include "sandbox/server.h"
#include "sandbox/clock.h"
#include "sandbox/delivery.h"
#include "sandbox/listener.h"

#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTION_LIMIT 4096u
#define HEADER_LIMIT ((size_t)128 * 1024) /* of a request's header block, and of an answer's */
#define STACK_SIZE ((size_t)1024 * 1024)  /* of a connection's thread, which runs the application */

struct server {
  struct state *state;       /* owned */
  struct MHD_Daemon *daemon; /* owned; NULL while stopped */
  struct listener listener;
  char *certificate; /* owned; NULL: plain http */
  char *key;         /* owned */
  size_t body_limit;
  pthread_mutex_t lock;
  pthread_cond_t stop;
  bool stopping;     /* guarded by `lock` */
  unsigned released; /* guarded by `lock`; counts calls of server_end_delays */
};

/* In the connections' threads */

static unsigned count_released (struct server *s) {
  (void)pthread_mutex_lock(&s->lock);
  unsigned released = s->released;
  (void)pthread_mutex_unlock(&s->lock);
  return released;
}

/* Waits so long, or until `released` has grown. False: the server stopped first. */
static bool doze (struct server *s, double seconds, unsigned released) {
  const struct timespec deadline = clock_deadline(seconds);
  (void)pthread_mutex_lock(&s->lock);
  while (!s->stopping && s->released == released &&
         pthread_cond_timedwait(&s->stop, &s->lock, &deadline) == 0)
    continue;
  bool stopping = s->stopping;
  (void)pthread_mutex_unlock(&s->lock);
  return !stopping;
}

struct collecting {
  struct request *request;
  bool ok;
};

static enum MHD_Result collect_header (void *context, enum MHD_ValueKind kind, const char *name,
                                       const char *value) {
  struct collecting *c = context;
  (void)kind;
  c->ok = fields_add(&c->request->headers, name, value != NULL ? value : "");
  return c->ok ? MHD_YES : MHD_NO;
}

static bool collect (struct request *r, struct MHD_Connection *connection, const char *method) {
  struct collecting c = {r, true};
  r->method = strdup(method);
  if (r->method == NULL) return false;
  (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, collect_header, &c);
  if (c.ok) r->user = MHD_basic_auth_get_username_password(connection, &r->password);
  return c.ok;
}

/* The daemon's first call for a request, when only the request line was read. */
static void *on_request_line (void *context, const char *uri, struct MHD_Connection *connection) {
  const struct server *s = context;
  (void)connection;
  return request_new(uri, s->body_limit);
}

static enum MHD_Result finish (struct server *s, struct MHD_Connection *connection,
                               const struct request *request) {
  struct answer answer;
  unsigned released = count_released(s); /* before the host can see the request in the log */
  answer_init(&answer);
  state_answer(s->state, request, &answer);
  enum MHD_Result result = MHD_NO;
  if (!(answer.delay > 0) || doze(s, answer.delay, released)) result = delivery_send(connection, &answer);
  answer_cleanup(&answer);
  return result;
}

/* The daemon calls this after the headers, after each part of the body, and after the request. */
static enum MHD_Result on_request (void *context, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_size, void **request_context) {
  struct request *request = *request_context;
  (void)url;
  (void)version;
  if (request == NULL) return MHD_NO; /* out of memory */
  if (request->method == NULL) return collect(request, connection, method) ? MHD_YES : MHD_NO;
  if (*upload_size == 0) return finish(context, connection, request);
  bool ok = request_add_body(request, upload, *upload_size);
  *upload_size = 0;
  return ok ? MHD_YES : MHD_NO;
}

static void on_completed (void *context, struct MHD_Connection *connection, void **request_context,
                          enum MHD_RequestTerminationCode code) {
  (void)context;
  (void)connection;
  (void)code;
  request_free(*request_context);
  *request_context = NULL;
}

/* In the host's thread */

static void set_stopping (struct server *s, bool stopping) {
  (void)pthread_mutex_lock(&s->lock);
  s->stopping = stopping;
  (void)pthread_cond_broadcast(&s->stop);
  (void)pthread_mutex_unlock(&s->lock);
  state_set_stopping(s->state, stopping);
}

void server_end_delays (struct server *s) {
  (void)pthread_mutex_lock(&s->lock);
  s->released++;
  (void)pthread_cond_broadcast(&s->stop);
  (void)pthread_mutex_unlock(&s->lock);
}

static struct MHD_Daemon *start_daemon (struct server *s, int fd) {
  unsigned flags =
      MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC;
  struct MHD_OptionItem options[] = {
      {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
      {MHD_OPTION_CONNECTION_LIMIT, CONNECTION_LIMIT, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)HEADER_LIMIT, NULL},
      {MHD_OPTION_THREAD_STACK_SIZE, (intptr_t)STACK_SIZE, NULL},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, s},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
      {MHD_OPTION_END, 0, NULL}, /* room for the two TLS options */
      {MHD_OPTION_END, 0, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  if (s->certificate != NULL) {
    flags |= MHD_USE_TLS;
    options[6] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, s->certificate};
    options[7] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, s->key};
  }
  if (s->listener.address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
  return MHD_start_daemon(flags, 0, NULL, NULL, on_request, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

/* Blocks all signals in the daemon's threads, which inherit this mask: the host handles them. */
static struct MHD_Daemon *start_daemon_without_signals (struct server *s, int fd) {
  sigset_t all, before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  struct MHD_Daemon *daemon = start_daemon(s, fd);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return daemon;
}

bool server_start (struct server *s, char *error, size_t error_size) {
  if (s->daemon != NULL) return true;
  int fd = listener_open(&s->listener, error, error_size);
  if (fd < 0) return false;
  set_stopping(s, false);
  s->daemon = start_daemon_without_signals(s, fd); /* closes fd when it stops or fails to start */
  if (s->daemon != NULL) return true;
  (void)snprintf(error, error_size, "the HTTP server could not be started%s",
                 s->certificate != NULL ? ": are the certificate and the key PEM, and made for each other?"
                                        : "");
  return false;
}

void server_stop (struct server *s) {
  if (s->daemon == NULL) return;
  set_stopping(s, true);
  MHD_stop_daemon(s->daemon);
  s->daemon = NULL;
}

static bool copy_text (char **copy, const char *text) {
  if (text == NULL) return true;
  *copy = strdup(text);
  return *copy != NULL;
}

static bool init (struct server *s, const struct server_options *options, char *error, size_t error_size) {
  if (options->certificate != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
    /* GCOVR_EXCL_START: another build of libmicrohttpd */
    (void)snprintf(error, error_size, "this build of libmicrohttpd has no TLS");
    return false;
    /* GCOVR_EXCL_STOP */
  }
  if (!copy_text(&s->certificate, options->certificate) || !copy_text(&s->key, options->key)) {
    /* GCOVR_EXCL_START: out of memory, which the torture never lets the sandbox be */
    (void)snprintf(error, error_size, "not enough memory");
    return false;
    /* GCOVR_EXCL_STOP */
  }
  if (!listener_init(&s->listener, options->address, options->port, error, error_size)) return false;
  s->body_limit = options->body_limit;
  s->state = state_new(&options->state, error, error_size);
  return s->state != NULL;
}

struct server *server_new (const struct server_options *options, char *error, size_t error_size) {
  struct server *s = calloc(1, sizeof *s);
  (void)snprintf(error, error_size, "not enough memory");
  if (s == NULL) return NULL;
  s->listener.reservation = -1;
  if (pthread_mutex_init(&s->lock, NULL) != 0) {
    /* GCOVR_EXCL_START: glibc's initialisers do not fail */
    free(s);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  if (!clock_init_condition(&s->stop)) {
    /* GCOVR_EXCL_START: glibc's initialisers do not fail */
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  if (init(s, options, error, error_size)) return s;
  server_free(s);
  return NULL;
}

void server_free (struct server *s) {
  if (s == NULL) return;
  server_stop(s);
  state_free(s->state);
  listener_cleanup(&s->listener);
  free(s->certificate);
  free(s->key);
  (void)pthread_cond_destroy(&s->stop);
  (void)pthread_mutex_destroy(&s->lock);
  free(s);
}

bool server_is_running (const struct server *s) {
  return s->daemon != NULL;
}

unsigned server_port (const struct server *s) {
  return listener_port(&s->listener);
}

struct state *server_state (const struct server *s) {
  return s->state;
}
