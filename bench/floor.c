/*
** floor: what the benchmark's works cost over bare libcurl. Prints microseconds of CPU time for each unit of
** work, and the peak of the process's memory in KB.
**
**   floor WORK COUNT SERVICE-URI USER-AGENT
**
** ping            COUNT pings, one after another
** lifecycle       COUNT times: the login target with credentials (HTTP Basic), the catalog, a ping
** form            COUNT times: the login form, the login target, the catalog, a ping, logout, with a cookie
** many            COUNT sessions at once over 64 connections: the login target, the catalog, 10 pings each
** many-form       the same with the login form before, logout after, and a cookie
*/
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void fetch (struct client *c, enum page page) {
  client_turn_to(c, page);
  CURLcode code = curl_easy_perform(c->easy);
  if (code) floor_die("libcurl", curl_easy_strerror(code));
  client_check(c);
}

static void ping (struct client *c) {
  fetch(c, PING);
}

static void lifecycle (struct client *c) {
  fetch(c, TARGET);
  fetch(c, CATALOG);
  fetch(c, PING);
}

static void form (struct client *c) {
  fetch(c, LOGIN);
  lifecycle(c);
  fetch(c, LOGOUT);
}

typedef void work (struct client *c);

static const struct {
  const char *name;
  work *run; /* NULL: many at once */
} works[] = {{"ping", ping}, {"lifecycle", lifecycle}, {"form", form}, {"many", NULL}, {"many-form", NULL}};

static work *find_work (const char *name) {
  for (size_t i = 0; i < sizeof works / sizeof *works; i++)
    if (!strcmp(works[i].name, name)) return works[i].run;
  floor_die("no such work", name);
  return NULL;
}

static double run_each (struct floor *f, work *run, long count) {
  static struct client client;
  client_open(&client, f);
  if (run == lifecycle) curl_easy_setopt(client.easy, CURLOPT_USERPWD, "lua:secret");
  if (run == form) client_take_cookies(&client);
  if (run == ping) fetch(&client, TARGET); /* what logs datasession in */
  run(&client);
  clock_t start = clock();
  for (long i = 0; i < count; i++)
    run(&client);
  clock_t end = clock();
  client_close(&client);
  return (double)(end - start) / CLOCKS_PER_SEC * 1e6 / (double)count;
}

static long peak (void) {
  static const char name[] = "VmHWM:";
  long kb = 0;
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  while (!kb && fgets(line, sizeof line, file))
    if (!strncmp(line, name, sizeof name - 1)) kb = strtol(line + sizeof name - 1, NULL, 10);
  fclose(file);
  return kb;
}

int main (int argc, char **argv) {
  struct floor floor;
  if (argc != 5) floor_die("usage", "floor WORK COUNT SERVICE-URI USER-AGENT");
  work *run = find_work(argv[1]);
  long count = strtol(argv[2], NULL, 10);
  floor_open(&floor, argv[3], argv[4]);
  double each =
      run ? run_each(&floor, run, count) : many_run(&floor, count, strcmp(argv[1], "many-form") == 0);
  printf("%.3f %ld\n", each, peak());
  floor_close(&floor);
  return 0;
}
