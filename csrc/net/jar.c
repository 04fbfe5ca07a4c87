#include "jar.h"

struct jar {
  const struct allocator *memory; /* borrowed */
  size_t references;
  size_t handles;   /* easy handles that are attached */
  CURLSH *share;    /* owned; NULL while there is nothing to keep: a share costs a kilobyte */
  bool has_cookies; /* a response set one, so the share must stay */
  bool forgotten;
};

struct jar *jar_new (const struct allocator *memory) {
  struct jar *jar = memory_new(memory, sizeof *jar);
  if (!jar) return NULL;
  jar->memory = memory;
  jar->references = 1;
  return jar;
}

struct jar *jar_keep (struct jar *jar) {
  if (jar) jar->references++;
  return jar;
}

static void drop_share (struct jar *jar) {
  if (jar->share) curl_share_cleanup(jar->share);
  jar->share = NULL;
  jar->has_cookies = false;
}

/* Who attached a handle holds a reference, so none is attached any more. */
void jar_release (struct jar *jar) {
  if (!jar || --jar->references > 0) return;
  drop_share(jar);
  memory_free(jar->memory, jar, sizeof *jar);
}

static bool need_share (struct jar *jar) {
  if (jar->share) return true;
  CURLSH *share = curl_share_init();
  if (!share) return false;
  if (curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE)) {
    curl_share_cleanup(share);
    return false;
  }
  jar->share = share;
  return true;
}

CURLcode jar_attach (struct jar *jar, CURL *easy) {
  if (!need_share(jar)) return CURLE_OUT_OF_MEMORY;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SHARE, jar->share);
  if (!code) jar->handles++;
  return code;
}

void jar_detach (struct jar *jar, CURL *easy) {
  curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
  if (--jar->handles == 0 && !jar->has_cookies) drop_share(jar);
}

void jar_note_cookie (struct jar *jar) {
  jar->has_cookies = true;
}

void jar_set_forgotten (struct jar *jar, bool forgotten) {
  jar->forgotten = forgotten;
}

bool jar_is_forgotten (const struct jar *jar) {
  return jar->forgotten;
}

/* libcurl reaches the cookies of a share only through an easy handle that is attached to it. */
bool jar_clear (struct jar *jar) {
  if (!jar->has_cookies) return true;
  if (jar->handles == 0) {
    drop_share(jar);
    return true;
  }
  CURL *easy = curl_easy_init();
  CURLcode code = CURLE_OUT_OF_MEMORY;
  if (!easy) return false;
  code = jar_attach(jar, easy);
  if (!code) {
    code = curl_easy_setopt(easy, CURLOPT_COOKIELIST, "ALL");
    jar_detach(jar, easy);
  }
  curl_easy_cleanup(easy);
  return code == CURLE_OK;
}
