#include "protocol/jsdo/asked_model.h"

#include "net/ascii.h"

#include <string.h>

static const struct asked_model form = {"the application asks for a login by form",
                                        "set authenticationModel to \"form\""};
static const struct asked_model basic = {"the application asks for HTTP Basic",
                                         "set authenticationModel to \"basic\""};
static const struct asked_model bearer = {"the application asks for a bearer token",
                                          "set authenticationModel to \"bearer\""};

/* True if a challenge of the line begins with the scheme: at its start, or behind a comma. */
static bool challenges_by (const struct header_line *line, const char *scheme) {
  size_t length = strlen(scheme), at = 0;
  while (at + length <= line->value_length) {
    const char *comma;
    if (ascii_same_start(line->value + at, scheme, length) &&
        (at + length == line->value_length || line->value[at + length] == ' '))
      return true;
    comma = memchr(line->value + at, ',', line->value_length - at);
    if (!comma) return false;
    at = (size_t)(comma + 1 - line->value);
    while (at < line->value_length && line->value[at] == ' ')
      at++;
  }
  return false;
}

static bool challenges (const struct exchange *x, const char *scheme) {
  static const char name[] = "WWW-Authenticate";
  const struct buffer *block = &x->response.headers;
  struct header_line line;
  size_t at = 0;
  while (header_next(block->data, block->length, &at, &line))
    if (line.name_length == sizeof name - 1 && ascii_same_start(line.name, name, sizeof name - 1) &&
        challenges_by(&line, scheme))
      return true;
  return false;
}

bool asked_model_is_basic (const struct exchange *x) {
  return challenges(x, "Basic");
}

const struct asked_model *asked_model_of (const struct exchange *x, enum model model, bool page) {
  bool by_form = model == MODEL_FORM || model == MODEL_FORM_SSO;
  if (page) return by_form ? NULL : &form;
  if (challenges(x, "Basic")) return model == MODEL_BASIC ? NULL : &basic;
  if (challenges(x, "Bearer")) return model == MODEL_BEARER ? NULL : &bearer;
  return NULL;
}
