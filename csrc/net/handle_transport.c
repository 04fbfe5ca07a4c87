#include "net/handle_transport.h"

#include "net/ascii.h"

#include <string.h>

/* True if this libcurl was built without the feature. */
static bool is_missing (CURLcode code) {
  return code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN;
}

static bool uses_environment (const struct transport *t) {
  return !t->no_proxy && !t->proxy && t->environment_proxy;
}

/* "" keeps libcurl from the environment, whose no_proxy would override an explicit proxy. */
static CURLcode set_proxy (CURL *easy, const struct transport *t) {
  bool none = t->no_proxy || (!t->proxy && !uses_environment(t));
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXY, none ? "" : t->proxy);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_NOPROXY, none || t->proxy ? "" : NULL);
  return code;
}

static bool may_have_secure_proxy (const struct transport *t) {
  if (t->no_proxy) return false;
  return t->proxy ? ascii_same_start(t->proxy, "https:", 6) : uses_environment(t);
}

/* For options that some builds of libcurl lack: clearing one there succeeds. */
static CURLcode set_if_any (CURL *easy, CURLoption option, const char *text) {
  CURLcode code = curl_easy_setopt(easy, option, text);
  return is_missing(code) && !text ? CURLE_OK : code;
}

static bool has_own_authorities (const struct transport *t) {
  return t->ca_file || t->ca_path;
}

/*
** True if libcurl was built with a file of CA certificates. Debian's also has a directory of the same ones.
*/
static bool has_bundle (CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075400
  char *file = NULL;
  return curl_easy_getinfo(easy, CURLINFO_CAINFO, &file) == CURLE_OK && file;
#else
  (void)easy;
  return false;
#endif
}

/*
** libcurl caches CA certificates for a day. A session's own file may be replaced before: a small one is read
** for each connection, which costs little, a large one once a minute.
*/
static CURLcode set_authorities_age (CURL *easy, const struct transport *t) {
#if LIBCURL_VERSION_NUM >= 0x075700
  enum { MINUTE = 60, DAY = 24 * 60 * MINUTE };
  long seconds = !t->ca_file ? DAY : t->ca_large ? MINUTE : 0;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, seconds);
  return is_missing(code) ? CURLE_OK : code;
#else
  (void)easy, (void)t;
  return CURLE_OK;
#endif
}

/*
** A session's own CA certificates replace libcurl's. libcurl caches nothing while a directory is set, so the
** directory is cleared if there is a file. libcurl copies the names for each transfer, so names that are not
** needed are cleared.
*/
static CURLcode set_server_authorities (struct handle *h, const struct transport *t, bool https) {
  bool own = has_own_authorities(t);
  CURLcode code = CURLE_OK;
  if (own || !https) code = set_if_any(h->easy, CURLOPT_CAINFO, https ? t->ca_file : NULL);
  if (!code && (own || !https || has_bundle(h->easy)))
    code = set_if_any(h->easy, CURLOPT_CAPATH, https ? t->ca_path : NULL);
  if (!code && https) code = set_authorities_age(h->easy, t);
  h->lacks_authorities = h->lacks_authorities || own || !https;
  return code;
}

static CURLcode set_authorities (struct handle *h, const struct transport *t, bool https) {
  bool proxy = may_have_secure_proxy(t);
  CURLcode code = set_server_authorities(h, t, https);
  if (!code && !proxy) code = set_if_any(h->easy, CURLOPT_PROXY_CAINFO, NULL);
  if (!code && (!proxy || has_bundle(h->easy))) code = set_if_any(h->easy, CURLOPT_PROXY_CAPATH, NULL);
  h->lacks_proxy_authorities = h->lacks_proxy_authorities || !proxy;
  return code;
}

/* Without a password the TLS library would prompt for one at the terminal. */
static CURLcode set_client (CURL *easy, const struct transport *t) {
  const char *password = t->key_password ? t->key_password : t->cert_file ? "" : NULL;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_alias ? t->cert_alias : t->cert_file);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_KEYPASSWD, password);
  return code;
}

static CURLcode set_tls (CURL *easy, const struct transport *t) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, t->insecure ? 0L : 2L);
  if (!code) code = set_if_any(easy, CURLOPT_CRLFILE, t->crl_file);
  if (!code) code = set_if_any(easy, CURLOPT_PINNEDPUBLICKEY, t->pinned_key);
  return code ? code : set_client(easy, t);
}

/* The default user agent is among the ready lines of handle.c. */
static CURLcode set_user_agent (CURL *easy, const char *agent) {
  if (agent && !header_is_value(agent, strlen(agent))) return CURLE_BAD_FUNCTION_ARGUMENT;
  return curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
}

CURLcode handle_transport_set (struct handle *h, const struct transport *t, bool https) {
  CURLcode code = set_proxy(h->easy, t);
  if (!code) code = set_authorities(h, t, https);
  if (!code) code = set_tls(h->easy, t);
  if (!code) code = set_user_agent(h->easy, t->user_agent);
  return code;
}

bool handle_transport_needs_new (const struct handle *h, const struct transport *t, bool https) {
  if (!h->transport) return false;
  if (https && h->lacks_authorities && !has_own_authorities(t)) return true;
  return h->lacks_proxy_authorities && may_have_secure_proxy(t);
}
