#include "net/cookie_return.h"

#include "net/ascii.h"

#include <string.h>

struct text {
  const char *data;
  size_t length;
};

/* The attributes of a Set-Cookie line that libcurl keeps. */
struct attributes {
  struct text path, domain; /* length 0: not given */
  bool secure, deleted;
};

static struct text trimmed (const char *data, size_t length) {
  while (length && (*data == ' ' || *data == '\t'))
    data++, length--;
  while (length && (data[length - 1] == ' ' || data[length - 1] == '\t'))
    length--;
  return (struct text){data, length};
}

static bool is (struct text name, const char *known) {
  return name.length == strlen(known) && ascii_same_start(name.data, known, name.length);
}

static void read_attribute (struct attributes *a, struct text pair) {
  const char *equals = pair.length ? memchr(pair.data, '=', pair.length) : NULL;
  size_t length = equals ? (size_t)(equals - pair.data) : pair.length;
  struct text name = trimmed(pair.data, length), value = {"", 0};
  if (equals) value = trimmed(equals + 1, pair.length - length - 1);
  if (is(name, "secure")) a->secure = true;
  if (is(name, "path")) a->path = value.length && *value.data == '/' ? value : (struct text){"", 0};
  if (is(name, "domain"))
    a->domain = value.length && *value.data == '.' ? (struct text){value.data + 1, value.length - 1} : value;
  if (is(name, "max-age") && value.length) a->deleted = *value.data == '0' || *value.data == '-';
}

/* Reads what follows the first ';', which ends the cookie's name and value. */
static struct attributes read_attributes (const struct header_line *line) {
  struct attributes a = {{"", 0}, {"", 0}, false, false};
  const char *end = line->value + line->value_length, *at = memchr(line->value, ';', line->value_length),
             *next;
  for (; at && at < end; at = next) {
    at++;
    next = memchr(at, ';', (size_t)(end - at));
    if (!next) next = end;
    read_attribute(&a, trimmed(at, (size_t)(next - at)));
  }
  return a;
}

/* RFC 6265, 5.1.4 */
static bool path_fits (struct text path, const char *target) {
  size_t length = path.length;
  if (strncmp(target, path.data, length)) return false;
  return path.data[length - 1] == '/' || !target[length] || strchr("/?;", target[length]);
}

static const char *path_of (const struct uri *uri) {
  const char *authority = strstr(uri_text(uri), "://") + 3;
  return authority + strcspn(authority, "/");
}

/* The path of a cookie without that attribute: the requested path up to its last '/'. */
static struct text default_path (const struct exchange *x) {
  const char *path = path_of(x->response.uri);
  size_t length = strcspn(path, "?");
  while (length > 1 && path[length - 1] != '/')
    length--;
  return (struct text){path, length > 1 ? length - 1 : 1};
}

static struct text host_of (const struct uri *uri) {
  const char *host = strstr(uri_origin(uri), "://") + 3;
  return (struct text){host, (size_t)(strrchr(host, ':') - host)};
}

static bool domain_fits (struct text domain, const struct uri *target) {
  struct text host = host_of(target);
  const char *tail = host.data + host.length - domain.length;
  if (domain.length > host.length || !ascii_same_start(tail, domain.data, domain.length)) return false;
  return domain.length == host.length || tail[-1] == '.';
}

/* True for https, and for this machine itself, which libcurl trusts. */
static bool is_safe_way (const struct uri *target) {
  struct text host = host_of(target);
  return uri_is_https(target) || is(host, "localhost") || is(host, "127.0.0.1") || is(host, "[::1]");
}

static enum cookie_obstacle obstacle_of (const struct attributes *a, const struct exchange *x,
                                         const struct uri *target) {
  struct text path = a->path.length ? a->path : default_path(x);
  if (a->domain.length && !domain_fits(a->domain, target)) return COOKIE_OTHER_DOMAIN;
  if (a->secure && !is_safe_way(target)) return COOKIE_SECURE;
  if (path_fits(path, path_of(target))) return COOKIE_RETURNS;
  return a->path.length ? COOKIE_OTHER_PATH : COOKIE_NO_PATH;
}

enum cookie_obstacle cookie_obstacle (const struct exchange *x, const struct uri *target) {
  enum cookie_obstacle last = COOKIE_NONE;
  struct header_line line;
  size_t at = 0;
  while (header_next(x->response.headers.data, x->response.headers.length, &at, &line)) {
    struct attributes a;
    if (line.name_length != 10 || !ascii_same_start(line.name, "set-cookie", 10)) continue;
    a = read_attributes(&line);
    if (a.deleted) continue;
    last = obstacle_of(&a, x, target);
    if (last == COOKIE_RETURNS) break;
  }
  return last;
}

const char *cookie_obstacle_phrase (enum cookie_obstacle obstacle) {
  switch (obstacle) {
  case COOKIE_NONE:
  case COOKIE_RETURNS: break;
  case COOKIE_OTHER_PATH: return "its Path is not the application's";
  case COOKIE_NO_PATH: return "it has no Path, and so is for the login form's own alone";
  case COOKIE_OTHER_DOMAIN: return "its Domain is not the host's";
  case COOKIE_SECURE: return "it is Secure, and the URI is not https";
  }
  return NULL;
}

const char *cookie_obstacle_hint (enum cookie_obstacle obstacle) {
  switch (obstacle) {
  /* GCOVR_EXCL_START: the compiler wants each case; callers ask about obstacles alone */
  case COOKIE_NONE:
  case COOKIE_RETURNS: break;
  /* GCOVR_EXCL_STOP */
  case COOKIE_OTHER_PATH:
  case COOKIE_NO_PATH:
    return "the server, or the proxy before it, must set the cookie for the Path of serviceURI";
  case COOKIE_OTHER_DOMAIN:
    return "use the host name that the cookie is for, or have the server leave Domain out";
  case COOKIE_SECURE: return "use the https URI";
  }
  return NULL; /* GCOVR_EXCL_LINE: the compiler wants each case */
}
