#include "handle_transport.h"

#include "ascii.h"

#include <string.h>

/* Of an optional feature that this libcurl was built without. */
static bool is_missing (CURLcode code) {
  return code == CURLE_UNKNOWN_OPTION || code == CURLE_NOT_BUILT_IN;
}

static bool uses_environment (const struct transport *t) {
  return !t->no_proxy && !t->proxy && t->environment_proxy;
}

/* "": libcurl is not to look into the environment, whose no_proxy would win over a proxy that was named. */
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

/* For what not every libcurl has: to be told of nothing is no news to it. */
static CURLcode set_if_any (CURL *easy, CURLoption option, const char *text) {
  CURLcode code = curl_easy_setopt(easy, option, text);
  return is_missing(code) && !text ? CURLE_OK : code;
}

/* libcurl copies the names of its CA certificates for each transfer: those that nobody will look at are taken from it. */
static CURLcode set_authorities (struct handle *h, const struct transport *t, bool https) {
  CURLcode code = CURLE_OK;
  if (https && t->ca_file) code = curl_easy_setopt(h->easy, CURLOPT_CAINFO, t->ca_file);
  if (!code && https && t->ca_path) code = curl_easy_setopt(h->easy, CURLOPT_CAPATH, t->ca_path);
  if (!code && !https) code = set_if_any(h->easy, CURLOPT_CAINFO, NULL);
  if (!code && !https) code = set_if_any(h->easy, CURLOPT_CAPATH, NULL);
  if (!code && !may_have_secure_proxy(t)) code = set_if_any(h->easy, CURLOPT_PROXY_CAINFO, NULL);
  if (!code && !may_have_secure_proxy(t)) code = set_if_any(h->easy, CURLOPT_PROXY_CAPATH, NULL);
  h->lacks_authorities = h->lacks_authorities || !https;
  h->lacks_proxy_authorities = h->lacks_proxy_authorities || !may_have_secure_proxy(t);
  return code;
}

static CURLcode set_tls (CURL *easy, const struct transport *t) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, t->insecure ? 0L : 2L);
  if (!code) code = set_if_any(easy, CURLOPT_CRLFILE, t->crl_file);
  if (!code) code = set_if_any(easy, CURLOPT_PINNEDPUBLICKEY, t->pinned_key);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_file);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file);
  if (!code) code = curl_easy_setopt(easy, CURLOPT_KEYPASSWD, t->key_password);
  return code;
}

/* The default one is among the ready lines. */
static CURLcode set_user_agent (CURL *easy, const char *agent) {
  if (agent && !header_is_value(agent, strlen(agent))) return CURLE_BAD_FUNCTION_ARGUMENT;
  return curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
}

static CURLcode tell (struct handle *h, const struct transport *t, bool https) {
  CURLcode code = set_proxy(h->easy, t);
  if (!code) code = set_authorities(h, t, https);
  if (!code) code = set_tls(h->easy, t);
  if (!code) code = set_user_agent(h->easy, t->user_agent);
  return code;
}

/* Only a fresh handle has libcurl's own CA certificates: they cannot be told by name. */
static bool must_start_over (const struct handle *h, const struct transport *t, bool https) {
  const struct transport *old = h->transport;
  if (!old) return false;
  if (https && (h->lacks_authorities || (old->ca_file && !t->ca_file) || (old->ca_path && !t->ca_path)))
    return true;
  return h->lacks_proxy_authorities && may_have_secure_proxy(t);
}

CURLcode handle_set_transport (struct handle *h, struct transport *t, bool https) {
  CURLcode code = CURLE_OK;
  if (h->transport && h->https == https && transport_same_connection(h->transport, t)) return CURLE_OK;
  if (must_start_over(h, t, https)) code = handle_forget(h);
  if (!code) code = tell(h, t, https);
  h->kept = false;
  transport_release(h->transport);
  h->transport = transport_keep(t);
  return code;
}
