/*
** floor_many: sessions that are alive together, over bare libcurl: CONNECTIONS easy handles in one multi
** handle, driven by sockets that an epoll descriptor watches. The sessions take turns: all log in, all load
** the catalog, ...
*/
#include "floor.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, PINGS = 10, EVENTS = 64 };

struct crowd {
  CURLM *multi; /* owned */
  int epoll;    /* owned */
  long timeout; /* milliseconds; -1: none */
  long begun, ended, wanted;
  struct client clients[CONNECTIONS];
};

static void check (CURLMcode code) {
  if (code) floor_die("libcurl", curl_multi_strerror(code));
}

static int on_socket (CURL *easy, curl_socket_t fd, int what, void *ud, void *known) {
  struct crowd *c = ud;
  struct epoll_event event = {.data.fd = fd};
  (void)easy;
  if (what == CURL_POLL_REMOVE) return epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL), 0;
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  epoll_ctl(c->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  if (!known) check(curl_multi_assign(c->multi, fd, c));
  return 0;
}

static int on_timeout (CURLM *multi, long milliseconds, void *ud) {
  (void)multi;
  ((struct crowd *)ud)->timeout = milliseconds;
  return 0;
}

static void begin (struct crowd *c, struct client *client, enum page page) {
  if (c->begun == c->wanted) return;
  c->begun++;
  client_turn_to(client, page);
  check(curl_multi_add_handle(c->multi, client->easy));
}

static void collect (struct crowd *c, enum page page) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(c->multi, &left))) {
    char *client = NULL;
    CURL *easy = message->easy_handle;
    if (message->data.result) floor_die("libcurl", curl_easy_strerror(message->data.result));
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &client);
    check(curl_multi_remove_handle(c->multi, easy));
    client_check((struct client *)(void *)client);
    c->ended++;
    begin(c, (struct client *)(void *)client, page);
  }
}

static void turn (struct crowd *c, enum page page) {
  struct epoll_event events[EVENTS];
  int running, n = epoll_wait(c->epoll, events, EVENTS, (int)c->timeout);
  for (int i = 0; i < n; i++) {
    int what = (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events[i].events & ~(unsigned)EPOLLOUT ? CURL_CSELECT_IN : 0);
    check(curl_multi_socket_action(c->multi, events[i].data.fd, what, &running));
  }
  if (n == 0) check(curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running));
  collect(c, page);
}

static void all (struct crowd *c, enum page page, long sessions) {
  c->begun = c->ended = 0;
  c->wanted = sessions;
  for (int i = 0; i < CONNECTIONS; i++)
    begin(c, &c->clients[i], page);
  while (c->ended < sessions)
    turn(c, page);
}

static void live (struct crowd *c, long sessions, bool form) {
  if (form) all(c, LOGIN, sessions);
  all(c, TARGET, sessions);
  all(c, CATALOG, sessions);
  for (int i = 0; i < PINGS; i++)
    all(c, PING, sessions);
  if (form) all(c, LOGOUT, sessions);
}

static void open_crowd (struct crowd *c, struct floor *f, bool form) {
  c->multi = curl_multi_init();
  c->epoll = epoll_create1(EPOLL_CLOEXEC);
  c->timeout = -1;
  check(curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS));
  check(curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket));
  check(curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c));
  check(curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout));
  check(curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c));
  for (int i = 0; i < CONNECTIONS; i++) {
    client_open(&c->clients[i], f);
    if (form) client_take_cookies(&c->clients[i]);
  }
}

static void close_crowd (struct crowd *c) {
  for (int i = 0; i < CONNECTIONS; i++)
    client_close(&c->clients[i]);
  check(curl_multi_cleanup(c->multi));
  close(c->epoll);
}

double many_run (struct floor *f, long sessions, bool form) {
  static struct crowd crowd;
  open_crowd(&crowd, f, form);
  live(&crowd, CONNECTIONS, form);
  clock_t start = clock();
  live(&crowd, sessions, form);
  clock_t end = clock();
  close_crowd(&crowd);
  return (double)(end - start) / CLOCKS_PER_SEC * 1e6 / (double)sessions;
}
