#include "store/disk.h"

#include "net/allocator.h"
#include "net/fork_guard.h"
#include "store/private_file.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The limit of the waiting text, in bytes; and how many seconds the thread waits for another job. */
enum { MOST_WAITING = 64 << 20, LINGER = 2 };

/* The limit of failures that are kept to be reported. A new one replaces the oldest. */
enum { MOST_FAILURES = 16 };

enum { STACK = 256 << 10 };

/* The clock that conditions wait by. */
#if defined(__APPLE__) || defined(_WIN32)
#define ONLY_WALL_CLOCK
static const clockid_t DEADLINE_CLOCK = CLOCK_REALTIME;
#else
static const clockid_t DEADLINE_CLOCK = CLOCK_MONOTONIC;
#endif

struct job {
  struct job *next;
  char *path; /* owned */
  char *text; /* owned, wiped; NULL: the file is removed */
  size_t size;
  int code; /* the error; the thread sets it before the job is in `failed` */
};

struct jobs {
  struct job *first, **last;
  unsigned count;
};

struct disk {
  pthread_mutex_t lock; /* for all below */
  pthread_cond_t work;  /* a job is waiting, or the owner has left */
  pthread_cond_t done;  /* jobs were done */
  pthread_t thread;
  struct jobs waiting; /* owned */
  struct jobs begun;   /* owned; only the thread changes them, the owner may read them */
  struct jobs failed;  /* owned */
  struct job *swept;   /* owned by the thread: names the last directory that it has swept; or NULL */
  size_t bytes;        /* of the text of waiting and running jobs */
  unsigned forks;      /* of fork_guard_forks, when it was made; never changes */
  bool started;        /* `thread` is to be joined */
  bool running;        /* the thread accepts jobs */
  bool left;           /* the owner wants the thread to end */
  bool abandoned;      /* the owner has left: the thread frees everything */
};

/* Jobs */

static void jobs_init (struct jobs *jobs) {
  jobs->first = NULL;
  jobs->last = &jobs->first;
  jobs->count = 0;
}

static void jobs_add (struct jobs *jobs, struct job *job) {
  job->next = NULL;
  *jobs->last = job;
  jobs->last = &job->next;
  jobs->count++;
}

static struct job *jobs_take (struct jobs *jobs) {
  struct job *job = jobs->first;
  if (!job) return NULL;
  jobs->first = job->next;
  if (!jobs->first) jobs->last = &jobs->first;
  jobs->count--;
  return job;
}

static void free_text (char *text, size_t size) {
  if (text) memory_wipe(text, size);
  free(text);
}

static void job_free (struct job *job) {
  if (!job) return;
  free_text(job->text, job->size);
  free(job->path);
  free(job);
}

static void jobs_free (struct jobs *jobs) {
  struct job *job;
  while ((job = jobs_take(jobs)) != NULL)
    job_free(job); /* GCOVR_EXCL_LINE: a write fails after lua_close has stopped waiting for the disk */
}

/* The last job of that path; NULL: none. */
static struct job *jobs_find (const struct jobs *jobs, const char *path) {
  struct job *job, *found = NULL;
  for (job = jobs->first; job; job = job->next)
    if (!strcmp(job->path, path)) found = job;
  return found;
}

static struct job *job_new (const char *path, const char *text, size_t size) {
  struct job *job = calloc(1, sizeof *job);
  if (!job) return NULL;
  job->path = strdup(path);
  job->text = text ? malloc(size + 1) : NULL;
  job->size = size;
  if (!job->path || (text && !job->text)) {
    /* GCOVR_EXCL_START: malloc fails, which the torture leaves good */
    free(job->text); /* it has no secret */
    job->text = NULL;
    job_free(job);
    return NULL;
    /* GCOVR_EXCL_STOP */
  }
  if (text) memcpy(job->text, text, size);
  return job;
}

/* The thread */

enum { LONGEST_PATH = 4096 };

/* The directory of a path. False: it names none. */
static bool directory_of (const char *path, char *into) {
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (!length || length >= LONGEST_PATH) return false;
  memcpy(into, path, length);
  into[length] = 0;
  return true;
}

static int do_job (const struct job *job) {
  char directory[LONGEST_PATH];
  int code = 0;
  if (!job->text) return private_file_remove(job->path);
  if (directory_of(job->path, directory)) code = private_directory_make(directory);
  return code ? code : private_file_replace(job->path, job->text, job->size);
}

static bool is_beside (const struct job *a, const struct job *b) {
  const char *slash = strrchr(a->path, '/');
  size_t length = slash ? (size_t)(slash - a->path) + 1 : 0;
  return !strncmp(a->path, b->path, length) && !strchr(b->path + length, '/');
}

/* Before the first job of this process in a directory, removes what a crash has left there. */
static void prepare (struct disk *d, const struct job *job) {
  char directory[LONGEST_PATH];
  if (d->swept && is_beside(d->swept, job)) return;
  job_free(d->swept);
  d->swept = job_new(job->path, NULL, 0);
  if (directory_of(job->path, directory)) private_directory_sweep(directory);
}

/* Runs the jobs. Syncs a directory once for consecutive jobs in it. */
static void do_jobs (struct disk *d) {
  char directory[LONGEST_PATH];
  struct job *job;
  for (job = d->begun.first; job; job = job->next) {
    prepare(d, job);
    job->code = do_job(job);
    if (job->next && is_beside(job, job->next)) continue;
    if (directory_of(job->path, directory)) private_directory_sync(directory);
  }
}

static void end_jobs (struct disk *d) {
  struct job *job;
  while ((job = jobs_take(&d->begun)) != NULL) {
    d->bytes -= job->size;
    free_text(job->text, job->size);
    job->text = NULL;
    if (!job->code) {
      job_free(job);
      continue;
    }
    if (d->failed.count >= MOST_FAILURES) job_free(jobs_take(&d->failed));
    jobs_add(&d->failed, job);
  }
  pthread_cond_broadcast(&d->done);
}

static void set_deadline (struct timespec *until, double seconds) {
  clock_gettime(DEADLINE_CLOCK, until);
  until->tv_sec += (time_t)seconds;
  until->tv_nsec += (long)((seconds - (double)(time_t)seconds) * 1e9);
  if (until->tv_nsec < 1000000000) return;
  until->tv_nsec -= 1000000000;
  until->tv_sec++;
}

/* False: no job came in time, or the owner has left. */
static bool await_job (struct disk *d) {
  struct timespec until;
  int code = 0;
  set_deadline(&until, LINGER);
  while (!d->waiting.first && !d->left && code != ETIMEDOUT)
    code = pthread_cond_timedwait(&d->work, &d->lock, &until);
  return d->waiting.first != NULL;
}

static void destroy (struct disk *d) {
  jobs_free(&d->waiting);
  jobs_free(&d->begun);
  jobs_free(&d->failed);
  job_free(d->swept);
  pthread_cond_destroy(&d->work);
  pthread_cond_destroy(&d->done);
  pthread_mutex_destroy(&d->lock);
  free(d);
}

static void *work (void *ud) {
  struct disk *d = ud;
  bool alone;
  pthread_mutex_lock(&d->lock);
  while (await_job(d)) {
    d->begun = d->waiting;
    if (d->begun.first == NULL) continue;
    jobs_init(&d->waiting);
    pthread_mutex_unlock(&d->lock);
    do_jobs(d);
    pthread_mutex_lock(&d->lock);
    end_jobs(d);
  }
  d->running = false;
  alone = d->abandoned;
  pthread_mutex_unlock(&d->lock);
  if (alone) destroy(d);
  return NULL;
}

#ifdef _WIN32

static int create_thread (struct disk *d, const pthread_attr_t *attributes) {
  return pthread_create(&d->thread, attributes, work, d);
}

#else

/* The thread blocks all signals: the host's threads handle those. */
static int create_thread (struct disk *d, const pthread_attr_t *attributes) {
  sigset_t all, before;
  int code;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  code = pthread_create(&d->thread, attributes, work, d);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return code;
}

#endif

static int start_thread (struct disk *d) {
  pthread_attr_t attributes;
  int code = pthread_attr_init(&attributes);
  if (code) return code;
  pthread_attr_setstacksize(&attributes, STACK);
  code = create_thread(d, &attributes);
  pthread_attr_destroy(&attributes);
  return code;
}

/*
** Starts the thread if it is not running; joins one that has ended. The lock is held. False: no thread can be
** started.
*/
static bool run (struct disk *d) {
  if (d->running) {
    pthread_cond_signal(&d->work);
    return true;
  }
  if (d->started) {
    d->started = false;
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_mutex_lock(&d->lock);
  }
  d->running = d->started = start_thread(d) == 0;
  return d->running;
}

/* Owner's side */

static bool init_conditions (struct disk *d) {
  pthread_condattr_t attributes;
  bool ok;
  if (pthread_condattr_init(&attributes)) return false;
#ifndef ONLY_WALL_CLOCK
  pthread_condattr_setclock(&attributes, DEADLINE_CLOCK);
#endif
  ok = pthread_cond_init(&d->work, &attributes) == 0;
  if (ok && pthread_cond_init(&d->done, &attributes)) {
    /* GCOVR_EXCL_START: glibc's initialisers do not fail */
    pthread_cond_destroy(&d->work);
    ok = false;
    /* GCOVR_EXCL_STOP */
  }
  pthread_condattr_destroy(&attributes);
  return ok;
}

struct disk *disk_new (void) {
  struct disk *d;
  fork_guard_set();
  d = fork_guard_is_set() ? calloc(1, sizeof *d) : NULL;
  if (!d) return NULL;
  jobs_init(&d->waiting);
  jobs_init(&d->begun);
  jobs_init(&d->failed);
  d->forks = fork_guard_forks();
  if (pthread_mutex_init(&d->lock, NULL) == 0) {
    if (init_conditions(d)) return d;
    pthread_mutex_destroy(&d->lock); /* GCOVR_EXCL_LINE: glibc's initialisers do not fail */
  }
  /* GCOVR_EXCL_START: glibc's initialisers do not fail */
  free(d);
  return NULL;
  /* GCOVR_EXCL_STOP */
}

bool disk_is_inherited (const struct disk *d) {
  return d->forks != fork_guard_forks();
}

/* Replaces the text of the waiting job for that path by the new job's. */
static void renew (struct disk *d, struct job *old, struct job *job) {
  char *text = old->text;
  size_t size = old->size;
  d->bytes -= size;
  old->text = job->text;
  old->size = job->size;
  job->text = text;
  job->size = size;
  job_free(job);
}

/* Adds the job. The queue owns it unless this fails. The lock is held. */
static enum disk_answer take (struct disk *d, struct job *job) {
  struct job *old = jobs_find(&d->waiting, job->path);
  if (d->bytes - (old ? old->size : 0) + job->size > MOST_WAITING) return DISK_FULL;
  if (!old && !run(d)) return DISK_NO_THREAD;
  d->bytes += job->size;
  if (old)
    renew(d, old, job);
  else
    jobs_add(&d->waiting, job);
  return DISK_TAKEN;
}

enum disk_answer disk_put (struct disk *d, const char *path, const char *text, size_t size) {
  struct job *job = job_new(path, text, text ? size : 0);
  enum disk_answer answer;
  if (!job) return DISK_FULL;
  pthread_mutex_lock(&d->lock);
  answer = take(d, job);
  pthread_mutex_unlock(&d->lock);
  if (answer != DISK_TAKEN) job_free(job);
  return answer;
}

/* The latest job for the path; NULL: none. The lock is held. */
static const struct job *find (const struct disk *d, const char *path) {
  const struct job *job = jobs_find(&d->waiting, path);
  return job ? job : jobs_find(&d->begun, path);
}

enum disk_plan disk_plan (struct disk *d, const char *path, size_t *size) {
  enum disk_plan plan = DISK_NOTHING;
  const struct job *job;
  pthread_mutex_lock(&d->lock);
  job = find(d, path);
  if (job) {
    plan = job->text ? DISK_WRITE : DISK_REMOVE;
    *size = job->size;
  }
  pthread_mutex_unlock(&d->lock);
  return plan;
}

bool disk_copy (struct disk *d, const char *path, void *into, size_t size) {
  const struct job *job;
  bool is;
  pthread_mutex_lock(&d->lock);
  job = find(d, path);
  is = job && job->text && job->size == size;
  if (is) memcpy(into, job->text, size);
  pthread_mutex_unlock(&d->lock);
  return is;
}

bool disk_wait (struct disk *d, double seconds) {
  struct timespec until;
  int code = 0;
  bool done;
  set_deadline(&until, seconds);
  pthread_mutex_lock(&d->lock);
  while ((d->waiting.first || d->begun.first) && code != ETIMEDOUT)
    code = pthread_cond_timedwait(&d->done, &d->lock, &until);
  done = !d->waiting.first && !d->begun.first;
  pthread_mutex_unlock(&d->lock);
  return done;
}

static void copy_text (char *into, size_t size, const char *text) {
  size_t length = strlen(text);
  if (length >= size) length = size - 1;
  memcpy(into, text, length);
  into[length] = 0;
}

bool disk_failure (struct disk *d, char *path, size_t path_size, char *why, size_t why_size) {
  struct job *job;
  pthread_mutex_lock(&d->lock);
  job = jobs_take(&d->failed);
  pthread_mutex_unlock(&d->lock);
  if (!job) return false;
  copy_text(path, path_size, job->path);
  copy_text(why, why_size, private_reason(job->code));
  job_free(job);
  return true;
}

bool disk_free (struct disk *d, double seconds) {
  bool done = disk_wait(d, seconds), started = d->started, running;
  pthread_t thread = d->thread;
  pthread_mutex_lock(&d->lock);
  d->left = true;
  d->abandoned = running = !done && d->running;
  pthread_cond_signal(&d->work);
  pthread_mutex_unlock(&d->lock);
  if (running) {
    pthread_detach(thread);
    return false;
  }
  if (started) pthread_join(thread, NULL);
  destroy(d);
  return done;
}
