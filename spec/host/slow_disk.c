/*
** slow_disk: a library to preload that lets a spec control fsync. DATASESSION_DISK_GATE names a file: fsync
** waits while it exists. DATASESSION_DISK_LOG names a file: each fsync of a file and each rename adds a line.
** DATASESSION_DISK_KILL=fsync or =rename: that call ends the process by SIGKILL. DATASESSION_DISK_FULL: fsync
** of a file fails.
*/
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void await_release (const char *path) {
  while (access(path, F_OK) == 0)
    usleep(1000);
}

static void note (const char *line) {
  const char *log = getenv("DATASESSION_DISK_LOG");
  FILE *file = log ? fopen(log, "a") : NULL;
  if (!file) return;
  fprintf(file, "%s\n", line);
  fclose(file);
}

static void act (const char *call) {
  const char *kill_at = getenv("DATASESSION_DISK_KILL");
  if (kill_at && !strcmp(kill_at, call)) kill(getpid(), SIGKILL);
  note(call);
}

int fsync (int fd) {
  int (*next)(int);
  const char *gate = getenv("DATASESSION_DISK_GATE");
  struct stat about;
  if (gate) await_release(gate);
  if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
    act("fsync");
    if (getenv("DATASESSION_DISK_FULL")) {
      errno = ENOSPC;
      return -1;
    }
  }
  *(void **)&next = dlsym(RTLD_NEXT, "fsync");
  return next(fd);
}

int rename (const char *from, const char *to) {
  int (*next)(const char *, const char *);
  act("rename");
  *(void **)&next = dlsym(RTLD_NEXT, "rename");
  return next(from, to);
}
