#include "session/identity.h"

#include <string.h>

static const char *const names[MODELS] = {"anonymous", "basic", "form", "sso", "form_sso", "bearer"};

const char *model_name (enum model model) {
  return names[model];
}

bool model_of (const char *name, enum model *model) {
  int i;
  for (i = 0; i < MODELS; i++)
    if (!strcmp(name, names[i])) {
      *model = (enum model)i;
      return true;
    }
  return false;
}

struct identity *identity_new (struct loop *loop, enum model model, struct uri *uri,
                               struct transport *transport) {
  struct identity *who = memory_new(&loop->memory, sizeof *who);
  if (!who) return NULL;
  who->loop = loop;
  who->references = 1;
  who->model = model;
  who->uri = uri_keep(uri);
  who->transport = transport_keep(transport);
  who->automatic = true;
  return who;
}

struct identity *identity_keep (struct identity *who) {
  who->references++;
  return who;
}

static void forget_token (const struct identity *who, char **token, size_t *size) {
  memory_wipe_free(&who->loop->memory, *token, *size);
  *token = NULL;
  *size = 0;
}

/* The caller aborts a pending refresh. */
static void forget_tokens (const struct identity *who) {
  struct tokens *t = who->tokens;
  if (!t) return;
  forget_token(who, &t->access, &t->access_size);
  forget_token(who, &t->refresh, &t->refresh_size);
}

/* The lines that sessions share may hold its token. */
static void forget_lines (struct loop *loop) {
  header_list_release(loop->lines);
  loop->lines = NULL;
}

/* Idle handles keep what they sent last. */
static void forget_sent (const struct identity *who) {
  forget_lines(who->loop);
  if (who->jar && who->loop->engine) engine_forget_jar(who->loop->engine, who->jar);
}

void identity_reset (struct identity *who) {
  forget_sent(who);
  forget_tokens(who);
  basic_auth_release(who->credentials);
  cookie_jar_release(who->jar);
  who->credentials = NULL;
  who->jar = NULL;
  who->logged_in = false;
  who->generation++;
}

void identity_release (struct identity *who) {
  if (!who || --who->references > 0) return;
  identity_reset(who);
  identity_forget_failure(who);
  memory_free(&who->loop->memory, who->tokens, sizeof *who->tokens);
  uri_release(who->uri);
  transport_release(who->transport);
  memory_free(&who->loop->memory, who, sizeof *who);
}

struct cookie_jar *identity_jar (struct identity *who) {
  if (!who->jar) who->jar = cookie_jar_new(&who->loop->jars);
  return who->jar;
}

const struct tokens *identity_tokens (const struct identity *who) {
  static const struct tokens none;
  return who->tokens ? who->tokens : &none;
}

static bool set (const struct identity *who, char **field, size_t *size, const char *text, size_t length) {
  char *copy = NULL;
  if (length) {
    copy = memory_new(&who->loop->memory, length + 1);
    if (!copy) return false;
    memcpy(copy, text, length);
  }
  forget_token(who, field, size);
  *field = copy;
  *size = length ? length + 1 : 0;
  return true;
}

bool identity_need_tokens (struct identity *who) {
  if (!who->tokens) who->tokens = memory_new(&who->loop->memory, sizeof *who->tokens);
  return who->tokens != NULL;
}

void identity_forget_failure (const struct identity *who) {
  if (!who->tokens) return;
  memory_free(&who->loop->memory, who->tokens->failed, sizeof *who->tokens->failed);
  who->tokens->failed = NULL;
}

/* Makes `tokens` only for a token that is not empty. */
static bool need_tokens (struct identity *who, size_t length) {
  return !length || identity_need_tokens(who);
}

bool identity_set_token (struct identity *who, const char *token, size_t length) {
  bool had = identity_tokens(who)->access != NULL;
  if (!need_tokens(who, length)) return false;
  if (who->tokens && !set(who, &who->tokens->access, &who->tokens->access_size, token, length)) return false;
  who->generation++;
  if (had) forget_sent(who);
  return true;
}

bool identity_set_refresh_token (struct identity *who, const char *token, size_t length) {
  if (!need_tokens(who, length)) return false;
  if (who->tokens && !set(who, &who->tokens->refresh, &who->tokens->refresh_size, token, length))
    return false; /* GCOVR_EXCL_LINE: out of memory; seldom in a short run */
  who->generation++;
  return true;
}

void identity_ripen (struct identity *who, double at) {
  if (who->tokens) who->tokens->refresh_at = at;
}

bool identity_set_credentials (struct identity *who, const char *user, size_t user_length,
                               const char *password, size_t password_length) {
  basic_auth_release(who->credentials);
  who->credentials = basic_auth_new(&who->loop->memory, user, user_length, password, password_length);
  return who->credentials != NULL;
}

bool identity_sign (const struct identity *who, struct header_list *lines) {
  const struct tokens *t = identity_tokens(who);
  const char *scheme = who->model == MODEL_BEARER ? "Bearer " : "oecp ";
  struct buffer value;
  bool ok;
  if (!t->access) return true;
  buffer_init(&value, &who->loop->memory, 1 << 20);
  value.secret = true;
  ok = buffer_add(&value, scheme, strlen(scheme)) == BUFFER_OK &&
       buffer_add(&value, t->access, t->access_size - 1) == BUFFER_OK &&
       header_list_set(lines, "Authorization", 13, value.data, value.length) == HEADER_OK;
  buffer_wipe(&value);
  return ok;
}

bool identity_can_refresh (const struct identity *who) {
  return who->model == MODEL_FORM_SSO && who->logged_in && identity_tokens(who)->refresh;
}

bool identity_refresh_due (const struct identity *who, double now) {
  double due = identity_tokens(who)->refresh_at;
  return identity_can_refresh(who) && who->automatic && due > 0 && now >= due;
}
