#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { MOST = 64, FIRST_SIZE = 4096, MOST_SIZE = 8 << 20, SEND_LIMIT = 5 /* seconds */ };

struct connection {
  int fd;
  char *text; /* owned; input that is not processed yet, with a NUL */
  size_t length, size;
  struct script *script; /* counted; NULL: waiting for a request */
  size_t step;
  bool paused;
};

struct rule {
  struct rule *next;
  char *key; /* owned; NULL: any */
  enum fault_when when;
  unsigned left; /* 0: no limit */
  struct script *script;
};

enum command { NOTHING, RELEASE, DROP, DROP_BY_RESET, STOP };

struct fault_server {
  pthread_t thread;
  pthread_mutex_t lock; /* guards all fields below except those that only the thread's poll uses */
  pthread_cond_t done;  /* a command was done */
  int listener, wake[2], port;
  struct connection connections[MOST];
  size_t count;
  struct rule *answers, *faults;
  enum command command;
  unsigned result; /* of the command */
  struct fault_counts counts;
  char *watched; /* owned: a key, or NULL */
  unsigned seen; /* complete requests with that key */
};

static void free_rule (struct rule *r) {
  free(r->key);
  script_release(r->script);
  free(r);
}

static void free_rules (struct rule **list) {
  while (*list) {
    struct rule *r = *list;
    *list = r->next;
    free_rule(r);
  }
}

static bool add_rule (struct rule **list, const char *key, struct rule model) {
  struct rule *r = malloc(sizeof *r);
  if (!r) {
    script_release(model.script);
    return false;
  }
  *r = model;
  r->key = key ? strdup(key) : NULL;
  r->next = *list;
  if (key && !r->key) {
    free_rule(r);
    return false;
  }
  *list = r;
  return true;
}

/* True if the request begins with the key, followed by a parameter, a query or the version. */
static bool is_keyed (const char *text, const char *key) {
  size_t n = strlen(key);
  return strncmp(text, key, n) == 0 && text[n] && strchr(" ?;", text[n]);
}

/* A reference to the script of the first matching rule; NULL: none. */
static struct script *find_script (struct rule **list, const char *text, enum fault_when when) {
  for (struct rule **place = list; *place; place = &(*place)->next) {
    struct rule *r = *place;
    if (r->when != when || (when != WHEN_ACCEPT && r->key && !is_keyed(text, r->key))) continue;
    struct script *script = script_keep(r->script);
    if (r->left == 1) {
      *place = r->next;
      free_rule(r);
    } else if (r->left > 1) {
      r->left--;
    }
    return script;
  }
  return NULL;
}

static void put (int fd, const char *data, size_t length) {
  while (length) {
    ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
    if (n <= 0) return;
    data += n;
    length -= (size_t)n;
  }
}

/* Unread input would turn an orderly close into a reset. */
static void drain (int fd) {
  char rest[4096];
  while (recv(fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
    continue;
}

static void close_connection (struct fault_server *s, struct connection *c, bool reset) {
  struct linger now = {1, 0};
  if (reset)
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  else
    drain(c->fd);
  close(c->fd);
  free(c->text);
  script_release(c->script);
  *c = s->connections[--s->count];
  s->counts.open--;
}

static bool has_head (const struct connection *c) {
  return strstr(c->text, "\r\n\r\n") != NULL;
}

/* The length of a complete request; 0: incomplete. */
static size_t request_length (const struct connection *c) {
  const char *end = strstr(c->text, "\r\n\r\n"), *field = strcasestr(c->text, "\r\nContent-Length:");
  if (!end) return 0;
  size_t body = field && field < end ? (size_t)strtoul(field + 17, NULL, 10) : 0;
  size_t length = (size_t)(end - c->text) + 4 + body;
  return c->length >= length ? length : 0;
}

static bool take_request (struct fault_server *s, struct connection *c) {
  size_t length = request_length(c);
  if (!length) return false;
  if (s->watched && is_keyed(c->text, s->watched)) s->seen++;
  memmove(c->text, c->text + length, c->length - length + 1);
  c->length -= length;
  s->counts.requests++;
  return true;
}

static struct script *nothing_there (void) {
  static const char text[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
  struct script *script = script_new(1);
  if (script && !script_set_bytes(script, 0, text, sizeof text - 1)) script->count = 0;
  return script;
}

/* Starts the script that the received request, or its header block, selects. */
static void begin_script (struct fault_server *s, struct connection *c) {
  if (!has_head(c)) return;
  c->step = 0;
  c->script = find_script(&s->faults, c->text, WHEN_HEAD);
  if (c->script || !request_length(c)) return;
  c->script = find_script(&s->faults, c->text, WHEN_REQUEST);
  if (!c->script) c->script = find_script(&s->answers, c->text, WHEN_REQUEST);
  if (!c->script) c->script = nothing_there();
  take_request(s, c);
}

enum progress { ON, WAITING, CLOSED, RESET };

static enum progress do_step (struct fault_server *s, struct connection *c) {
  const struct step *step = &c->script->steps[c->step];
  switch (step->kind) {
  case STEP_SEND: put(c->fd, step->bytes, step->length); break;
  case STEP_PAUSE: c->paused = true; return WAITING;
  case STEP_READ:
    if (!take_request(s, c)) return WAITING;
    break;
  case STEP_WAIT:
    if (c->length < step->length) return WAITING;
    break;
  case STEP_CLOSE: return CLOSED;
  case STEP_RESET: return RESET;
  }
  c->step++;
  return ON;
}

static void end_script (struct connection *c) {
  script_release(c->script);
  c->script = NULL;
}

/* Runs the script until it must wait. May close the connection. */
static void play (struct fault_server *s, struct connection *c) {
  enum progress progress = ON;
  while (progress == ON && !c->paused) {
    if (!c->script) begin_script(s, c);
    if (!c->script) return;
    progress = c->step < c->script->count ? do_step(s, c) : ON;
    if (progress == ON && c->step == c->script->count) end_script(c);
  }
  if (progress == CLOSED || progress == RESET) close_connection(s, c, progress == RESET);
}

static bool has_room (struct connection *c) {
  if (c->length + 1 < c->size) return true;
  size_t size = c->size ? c->size * 2 : FIRST_SIZE;
  char *text = size <= MOST_SIZE ? realloc(c->text, size) : NULL;
  if (!text) return false;
  c->text = text;
  c->size = size;
  return true;
}

static void hear (struct fault_server *s, struct connection *c) {
  ssize_t n = has_room(c) ? recv(c->fd, c->text + c->length, c->size - 1 - c->length, 0) : 0;
  if (n <= 0) {
    close_connection(s, c, false);
    return;
  }
  c->length += (size_t)n;
  c->text[c->length] = '\0';
  play(s, c);
}

static void accept_one (struct fault_server *s) {
  struct timeval limit = {SEND_LIMIT, 0};
  int one = 1, fd = accept(s->listener, NULL, NULL);
  if (fd < 0) return;
  struct connection *c = &s->connections[s->count];
  memset(c, 0, sizeof *c);
  if (s->count == MOST || !has_room(c)) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  c->fd = fd;
  c->text[0] = '\0';
  s->count++;
  s->counts.accepted++;
  s->counts.open++;
  c->script = find_script(&s->faults, "", WHEN_ACCEPT);
  play(s, c);
}

static unsigned release_all (struct fault_server *s) {
  unsigned released = 0;
  for (size_t i = s->count; i-- > 0;) { /* from the end: close moves the last one into the gap */
    struct connection *c = &s->connections[i];
    if (!c->paused) continue;
    c->paused = false;
    c->step++;
    released++;
    play(s, c);
  }
  return released;
}

static unsigned drop_idle (struct fault_server *s, bool reset) {
  unsigned dropped = 0;
  for (size_t i = s->count; i-- > 0;) {
    struct connection *c = &s->connections[i];
    if (c->script || c->length) continue;
    close_connection(s, c, reset);
    dropped++;
  }
  return dropped;
}

/* True if the thread must end. */
static bool obey (struct fault_server *s) {
  char byte;
  enum command command = s->command;
  if (read(s->wake[0], &byte, 1) < 0) return false;
  if (command == RELEASE) s->result = release_all(s);
  if (command == DROP || command == DROP_BY_RESET) s->result = drop_idle(s, command == DROP_BY_RESET);
  s->command = NOTHING;
  pthread_cond_signal(&s->done);
  return command == STOP;
}

static bool serve (struct fault_server *s, const struct pollfd *fds, size_t count) {
  pthread_mutex_lock(&s->lock);
  for (size_t i = count; i-- > 0;)
    if (fds[i + 2].revents) hear(s, &s->connections[i]);
  if (fds[1].revents) accept_one(s);
  bool ends = fds[0].revents && obey(s);
  pthread_mutex_unlock(&s->lock);
  return !ends;
}

static void *work (void *ud) {
  struct fault_server *s = ud;
  for (;;) {
    struct pollfd fds[MOST + 2] = {{s->wake[0], POLLIN, 0}, {s->listener, POLLIN, 0}};
    size_t count = s->count;
    for (size_t i = 0; i < count; i++)
      fds[i + 2] = (struct pollfd){s->connections[i].fd, POLLIN, 0};
    if (poll(fds, count + 2, -1) > 0 && !serve(s, fds, count)) return NULL;
  }
}

/* Sends a command to the thread and waits for its result. */
static unsigned command (struct fault_server *s, enum command what) {
  pthread_mutex_lock(&s->lock);
  s->result = 0;
  s->command = what;
  while (write(s->wake[1], "", 1) < 0 && errno == EINTR)
    continue;
  while (s->command != NOTHING)
    pthread_cond_wait(&s->done, &s->lock);
  unsigned result = s->result;
  pthread_mutex_unlock(&s->lock);
  return result;
}

static bool listen_anywhere (struct fault_server *s) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  s->listener = socket(AF_INET, SOCK_STREAM, 0);
  if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, sizeof address)) return false;
  if (listen(s->listener, MOST) || getsockname(s->listener, (struct sockaddr *)&address, &size)) return false;
  s->port = ntohs(address.sin_port);
  return true;
}

static void free_server (struct fault_server *s) {
  while (s->count)
    close_connection(s, &s->connections[0], false);
  free_rules(&s->answers);
  free_rules(&s->faults);
  free(s->watched);
  if (s->listener >= 0) close(s->listener);
  if (s->wake[0] >= 0) close(s->wake[0]);
  if (s->wake[1] >= 0) close(s->wake[1]);
  pthread_cond_destroy(&s->done);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

struct fault_server *fault_server_start (void) {
  struct fault_server *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->listener = s->wake[0] = s->wake[1] = -1;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->done, NULL);
  if (!pipe(s->wake) && listen_anywhere(s) && !pthread_create(&s->thread, NULL, work, s)) return s;
  int why = errno;
  free_server(s);
  errno = why;
  return NULL;
}

void fault_server_stop (struct fault_server *s) {
  command(s, STOP);
  pthread_join(s->thread, NULL);
  free_server(s);
}

int fault_server_port (const struct fault_server *s) {
  return s->port;
}

bool fault_server_answer (struct fault_server *s, const char *key, struct script *script) {
  pthread_mutex_lock(&s->lock);
  bool ok = add_rule(&s->answers, key, (struct rule){.when = WHEN_REQUEST, .script = script});
  pthread_mutex_unlock(&s->lock);
  return ok;
}

bool fault_server_fault (struct fault_server *s, const char *key, enum fault_when when, unsigned count,
                         struct script *script) {
  pthread_mutex_lock(&s->lock);
  bool ok = add_rule(&s->faults, key, (struct rule){.when = when, .left = count, .script = script});
  pthread_mutex_unlock(&s->lock);
  return ok;
}

void fault_server_clear (struct fault_server *s) {
  pthread_mutex_lock(&s->lock);
  free_rules(&s->faults);
  pthread_mutex_unlock(&s->lock);
}

bool fault_server_watch (struct fault_server *s, const char *key) {
  char *copy = strdup(key);
  if (!copy) return false;
  pthread_mutex_lock(&s->lock);
  free(s->watched);
  s->watched = copy;
  s->seen = 0;
  pthread_mutex_unlock(&s->lock);
  return true;
}

unsigned fault_server_watched (struct fault_server *s) {
  pthread_mutex_lock(&s->lock);
  unsigned seen = s->seen;
  pthread_mutex_unlock(&s->lock);
  return seen;
}

unsigned fault_server_release (struct fault_server *s) {
  return command(s, RELEASE);
}

unsigned fault_server_drop (struct fault_server *s, bool reset) {
  return command(s, reset ? DROP_BY_RESET : DROP);
}

struct fault_counts fault_server_counts (struct fault_server *s) {
  pthread_mutex_lock(&s->lock);
  struct fault_counts counts = s->counts;
  for (size_t i = 0; i < s->count; i++)
    counts.paused += s->connections[i].paused;
  pthread_mutex_unlock(&s->lock);
  return counts;
}
