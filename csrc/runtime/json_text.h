/*
** json_text: reads JSON's grammar (RFC 8259) from a text, value by value, without decoding it. It rejects as
** doubtful what is outside the grammar, and what decoders differ on: escapes of the character 0 and of half a
** surrogate pair, bytes that UTF-8 never contains, deep nesting. It knows no Lua and allocates nothing.
*/
#ifndef RUNTIME_JSON_TEXT_H
#define RUNTIME_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#pragma GCC visibility push(hidden)

struct json_text {
  const char *at, *end;
  unsigned depth; /* of arrays and objects */
  bool strict;    /* rejects long numbers and large exponents, on which decoders differ */
};

struct json_word {
  const char *at; /* in the text */
  size_t length;
};

/* Each function reads from `at` and moves it. False: the text does not go on like that, or in doubt. */

/* A string. A word, if not NULL, gets its bytes; it must have no escapes. */
bool json_string (struct json_text *t, struct json_word *word);

bool json_null (struct json_text *t);
bool json_boolean (struct json_text *t);
bool json_number (struct json_text *t);

/* Any value. */
bool json_any (struct json_text *t);

/*
** An array or object, of which it looks at brackets and quotes alone: three times as fast, for texts that a
** decoder will judge.
*/
bool json_skip (struct json_text *t);

/* Space between tokens, which may be missing. */
void json_space (struct json_text *t);

/* One character. */
bool json_take (struct json_text *t, char c);

/* A colon with the space around it. */
bool json_colon (struct json_text *t);

/* Enters an array or object and reads the space that follows. Leaves it at once if it is empty. */
bool json_enter (struct json_text *t, char opening, char closing, bool *empty);

/* After an element or a member: a comma with its space; or the end of the container (*ended). */
bool json_go_on (struct json_text *t, char closing, bool *ended);

#pragma GCC visibility pop

#endif
