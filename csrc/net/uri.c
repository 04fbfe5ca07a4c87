#include "net/uri.h"

#include "net/ascii.h"

#include <stdio.h>
#include <string.h>

enum { KEPT = 6 }; /* URIs that a session requests often */

struct uri {
  const struct allocator *memory; /* borrowed */
  size_t references;
  size_t size;             /* of this block */
  CURLU *handle;           /* owned */
  const char *public_text; /* in this block; `text` itself if it hides nothing */
  const char *origin;      /* in this block */
  unsigned origin_hash;
  size_t path, path_end; /* the start and end of the path in `text` */
  bool https;
  unsigned char turn;     /* index in `kept` of the next to replace */
  struct uri *kept[KEPT]; /* owned references */
  char text[];
};

const char uri_no_memory[] = "not enough memory";

/* libcurl percent-encodes blanks and non-ASCII bytes: servers send them in Location headers. */
enum { PARSE_FLAGS = CURLU_DISALLOW_USER | CURLU_URLENCODE | CURLU_ALLOW_SPACE };

static const char *reason (CURLUcode code) {
  switch (code) {
  case CURLUE_OUT_OF_MEMORY: return uri_no_memory;
  case CURLUE_USER_NOT_ALLOWED: return "holds a user name or password: pass them to login instead";
  case CURLUE_NO_HOST: return "has no host";
  case CURLUE_BAD_HOSTNAME:
  case CURLUE_BAD_IPV6: return "has a bad host name";
  case CURLUE_BAD_PORT_NUMBER: return "has a bad port";
  case CURLUE_BAD_SCHEME:
  case CURLUE_UNSUPPORTED_SCHEME: return "is not http or https";
  default: return "is malformed";
  }
}

static void lower (char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    text[i] = ascii_lower(text[i]);
}

/*
** True for a host name with non-ASCII letters, as libcurl wrote it. libcurl converts such a name by the
** locale's encoding, and fails in the C locale.
*/
static bool has_foreign_host (const char *text) {
  const char *authority = strstr(text, "://") + 3;
  for (; *authority && *authority != '/'; authority++)
    if (*authority & 0x80) return true;
  return false;
}

/* libcurl's text always has "://" and a path, at least "/". */
static size_t find_path (const char *text) {
  const char *authority = strstr(text, "://") + 3;
  return (size_t)(strchr(authority, '/') - text);
}

static bool has_port (const char *authority, size_t length) {
  for (size_t i = length; i > 0 && authority[i - 1] != ']'; i--)
    if (authority[i - 1] == ':') return true;
  return false;
}

/* The default port to add; "" if the text has a port. */
static const char *missing_port (const struct uri *u) {
  size_t start = u->https ? sizeof "https://" - 1 : sizeof "http://" - 1;
  if (has_port(u->text + start, u->path - start)) return "";
  return u->https ? ":443" : ":80";
}

static void write_origin (struct uri *u, char *to, size_t size) {
  memcpy(to, u->text, u->path);
  snprintf(to + u->path, size - u->path, "%s", missing_port(u));
  u->origin = to;
  for (u->origin_hash = 5381; *to; to++)
    u->origin_hash = u->origin_hash * 33 ^ (unsigned char)*to;
}

/* Copies the text without the query, and without ';' and what follows it in each segment. */
static void write_public_text (struct uri *u, char *to) {
  bool hidden = false;
  u->public_text = to;
  for (size_t i = 0; i < u->path_end; i++) {
    if (u->text[i] == '/') hidden = false;
    if (u->text[i] == ';') hidden = true;
    if (!hidden) *to++ = u->text[i];
  }
  *to = '\0';
}

static bool has_secrets (const char *text, size_t path) {
  return strpbrk(text + path, ";?") != NULL;
}

/* Takes ownership of the handle if it succeeds. */
static struct uri *build (const struct allocator *memory, CURLU *handle, const char *text) {
  size_t length = strlen(text), path = find_path(text);
  size_t origin_size = path + sizeof ":443";
  size_t public_size = has_secrets(text, path) ? length + 1 : 0;
  size_t size = sizeof(struct uri) + length + 1 + origin_size + public_size;
  struct uri *u = memory_new(memory, size);
  if (!u) return NULL;
  u->memory = memory;
  u->references = 1;
  u->size = size;
  u->handle = handle;
  memcpy(u->text, text, length + 1);
  lower(u->text, path);
  u->path = path;
  u->path_end = path + strcspn(text + path, "?");
  u->https = strncmp(u->text, "https:", 6) == 0;
  write_origin(u, u->text + length + 1, origin_size);
  u->public_text = u->text;
  if (public_size) write_public_text(u, u->text + length + 1 + origin_size);
  return u;
}

static CURLUcode check_scheme (CURLU *handle) {
  char *scheme = NULL;
  CURLUcode code = curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0);
  if (code) return code;
  bool ours = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
  curl_free(scheme);
  return ours ? CURLUE_OK : CURLUE_UNSUPPORTED_SCHEME;
}

/* False for "http:/host" and "http:///host", which libcurl accepts as browsers do. */
static bool has_authority (const char *text) {
  const char *colon = strchr(text, ':');
  return colon && strncmp(colon, "://", 3) == 0 && colon[3] && !strchr("/?#", colon[3]);
}

/* `text` ends in a NUL. */
static struct uri *parse (const struct allocator *memory, const char *text, const char **why) {
  struct uri *u = NULL;
  char *normal = NULL;
  CURLU *handle = curl_url();
  CURLUcode code;

  *why = uri_no_memory;
  if (!handle) return NULL;
  code = *text ? curl_url_set(handle, CURLUPART_URL, text, PARSE_FLAGS) : CURLUE_BAD_SCHEME;
  if (!code) code = check_scheme(handle);
  if (!code && !has_authority(text)) code = CURLUE_NO_HOST;
  if (!code) code = curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0);
  if (!code) code = curl_url_get(handle, CURLUPART_URL, &normal, CURLU_NO_DEFAULT_PORT);
  if (code) {
    *why = reason(code);
    goto done;
  }
  if (has_foreign_host(normal)) {
    *why = "has a host name beyond ASCII: write it in its xn-- form";
    goto done;
  }
  u = build(memory, handle, normal);
done:
  curl_free(normal);
  if (!u) curl_url_cleanup(handle);
  return u;
}

/* Joins both texts and adds a NUL; *size is the size to free. */
static char *join (const struct allocator *memory, const char *a, size_t a_length, const char *b,
                   size_t b_length, size_t *size) {
  *size = a_length + b_length + 1;
  char *text = memory_new(memory, *size);
  if (!text) return NULL;
  memcpy(text, a, a_length);
  if (b_length) memcpy(text + a_length, b, b_length);
  return text;
}

static struct uri *parse_joined (const struct allocator *memory, const char *a, size_t a_length,
                                 const char *b, size_t b_length, const char **why) {
  size_t size;
  char *text = join(memory, a, a_length, b, b_length, &size);
  *why = uri_no_memory;
  if (!text) return NULL;
  struct uri *u = parse(memory, text, why);
  memory_wipe_free(memory, text, size);
  return u;
}

static bool has_control (const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) return true;
  return false;
}

struct uri *uri_parse (const struct allocator *memory, const char *text, size_t length, const char **why) {
  *why = "holds a control character";
  if (has_control(text, length)) return NULL;
  return parse_joined(memory, text, length, "", 0, why);
}

static bool is_alpha (char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool has_scheme (const char *text, size_t length) {
  if (!length || !is_alpha(text[0])) return false;
  for (size_t i = 1; i < length; i++) {
    if (text[i] == ':') return true;
    if (!is_alpha(text[i]) && !strchr("0123456789+-.", text[i])) return false;
  }
  return false;
}

/*
** The length of the base's text that precedes the reference: RFC 3986, 5.2.2. The parser removes dot
** segments.
*/
static size_t kept_of_base (const struct uri *base, const char *reference, size_t length) {
  size_t end = base->path_end;
  if (length == 0) return strlen(base->text);
  if (length > 1 && reference[0] == '/' && reference[1] == '/') return base->https ? 6 : 5;
  if (reference[0] == '/') return base->path;
  if (reference[0] == '?') return end;
  while (base->text[end - 1] != '/')
    end--;
  return end;
}

struct uri *uri_resolve (const struct uri *base, const char *reference, size_t length, const char **why) {
  const char *fragment = length ? memchr(reference, '#', length) : NULL;
  *why = "holds a control character";
  if (has_control(reference, length)) return NULL;
  if (fragment) length = (size_t)(fragment - reference);
  size_t kept = has_scheme(reference, length) ? 0 : kept_of_base(base, reference, length);
  return parse_joined(base->memory, base->text, kept, reference, length, why);
}

/* True if the URI is the first `end` bytes of `base`, and then `rest`. */
static bool is_joined (const struct uri *u, const struct uri *base, size_t end, const char *rest,
                       size_t length) {
  return strlen(u->text) == end + length && memcmp(u->text + end, rest, length) == 0 &&
         memcmp(u->text, base->text, end) == 0;
}

static struct uri *find_kept (const struct uri *base, size_t end, const char *rest, size_t length) {
  for (size_t i = 0; i < KEPT; i++)
    if (base->kept[i] && is_joined(base->kept[i], base, end, rest, length)) return base->kept[i];
  return NULL;
}

/* Keeps the URI for find_kept, unless normalising has changed `rest`, or `rest` may hold a secret. */
static void keep_joined (struct uri *base, struct uri *u, size_t end, const char *rest, size_t length) {
  if (!is_joined(u, base, end, rest, length) || has_secrets(u->text, end ? end : u->path)) return;
  uri_release(base->kept[base->turn]);
  base->kept[base->turn] = uri_keep(u);
  base->turn = (unsigned char)((base->turn + 1) % KEPT);
}

struct uri *uri_append (struct uri *base, const char *path) {
  const char *why;
  size_t end = base->path_end, length = strlen(path);
  while (end > base->path && base->text[end - 1] == '/')
    end--;
  struct uri *u = find_kept(base, end, path, length);
  if (u) return uri_keep(u);
  if (has_control(path, length)) return NULL; /* libcurl 8.23 would encode a line break */
  u = parse_joined(base->memory, base->text, end, path, length, &why);
  if (u) keep_joined(base, u, end, path, length);
  return u;
}

struct uri *uri_resolve_kept (struct uri *base, const char *reference, size_t length, const char **why) {
  struct uri *u = find_kept(base, 0, reference, length);
  if (u) return uri_keep(u);
  u = uri_resolve(base, reference, length, why);
  if (u) keep_joined(base, u, 0, reference, length);
  return u;
}

struct uri *uri_keep (struct uri *u) {
  if (u) u->references++;
  return u;
}

/* Wiped: the text may hold a token in its query. */
void uri_release (struct uri *u) {
  if (!u || --u->references > 0) return;
  for (size_t i = 0; i < KEPT; i++)
    uri_release(u->kept[i]);
  curl_url_cleanup(u->handle);
  memory_wipe_free(u->memory, u, u->size);
}

const char *uri_text (const struct uri *u) {
  return u->text;
}

const char *uri_public_text (const struct uri *u) {
  return u->public_text;
}

bool uri_hides (const struct uri *u) {
  return u->public_text != u->text;
}

const char *uri_origin (const struct uri *u) {
  return u->origin;
}

unsigned uri_origin_hash (const struct uri *u) {
  return u->origin_hash;
}

bool uri_same_origin (const struct uri *a, const struct uri *b) {
  return a == b || strcmp(a->origin, b->origin) == 0;
}

bool uri_is_https (const struct uri *u) {
  return u->https;
}

/* True if the path holds "%2e", which a server may decode to a dot, so that ".." leads out of the base. */
static bool may_climb (const char *path, size_t length) {
  const char *end = path + length, *at;
  while ((at = memchr(path, '%', (size_t)(end - path))) && end - at > 2) {
    if (at[1] == '2' && (at[2] | 0x20) == 'e') return true;
    path = at + 1;
  }
  return false;
}

bool uri_within (const struct uri *base, const struct uri *u) {
  const char *base_path = base->text + base->path, *path = u->text + u->path;
  size_t base_length = base->path_end - base->path, length = u->path_end - u->path;
  if (!uri_same_origin(base, u)) return false;
  while (base_length && base_path[base_length - 1] == '/')
    base_length--;
  if (length < base_length || strncmp(base_path, path, base_length) != 0) return false;
  if (may_climb(path + base_length, length - base_length)) return false;
  return length == base_length || path[base_length] == '/' || path[base_length] == ';';
}

CURLU *uri_handle (const struct uri *u) {
  return u->handle;
}
