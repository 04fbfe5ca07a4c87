/*
** download: for bench/download.sh and bench/upload.sh.
**
**   download get URI         bare libcurl: takes the body and forgets it
**   download put URI FILE    bare libcurl: sends the file
**   download measure CMD...  runs a command; prints its CPU time in milliseconds and its peak of memory in KB
*/
#include <curl/curl.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t forget (char *data, size_t size, size_t count, void *total) {
  (void)data;
  *(size_t *)total += size * count;
  return count;
}

static int get (const char *uri) {
  size_t total = 0;
  CURL *easy = curl_easy_init();
  if (!easy) return 1;
  curl_easy_setopt(easy, CURLOPT_URL, uri);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, forget);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &total);
  CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  return code || !total;
}

static int put_file (const char *uri, FILE *file) {
  struct stat about;
  CURL *easy = fstat(fileno(file), &about) == 0 ? curl_easy_init() : NULL;
  if (!easy) return 1;
  curl_easy_setopt(easy, CURLOPT_URL, uri);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READDATA, file); /* by fread */
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)about.st_size);
  CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  return code != CURLE_OK;
}

static int put (const char *uri, const char *path) {
  FILE *file = fopen(path, "rb");
  int failed = !file || put_file(uri, file);
  if (file) fclose(file);
  return failed;
}

static double milliseconds (struct timeval t) {
  return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static int measure (char **command) {
  struct rusage used;
  int status;
  pid_t child = fork();
  if (child == 0) {
    execvp(command[0], command);
    _exit(127);
  }
  if (child < 0 || wait4(child, &status, 0, &used) != child || status) return 1;
  printf("%.0f %ld\n", milliseconds(used.ru_utime) + milliseconds(used.ru_stime), used.ru_maxrss);
  return 0;
}

int main (int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "get")) return get(argv[2]);
  if (argc == 4 && !strcmp(argv[1], "put")) return put(argv[2], argv[3]);
  if (argc > 2 && !strcmp(argv[1], "measure")) return measure(argv + 2);
  fprintf(stderr, "usage: download get URI | download put URI FILE | download measure COMMAND...\n");
  return 2;
}
