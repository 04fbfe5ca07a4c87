/* datasnap: what the files of the DataSnap protocol share: the state of its sessions, addresses, calls. */
#ifndef PROTOCOL_DATASNAP_DATASNAP_H
#define PROTOCOL_DATASNAP_DATASNAP_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_datasnap;

/* `wire` of a DataSnap session. */
struct datasnap {
  char *id;         /* owned, wiped: what the server calls the session; NULL: none is held */
  size_t id_size;   /* of the block, NUL included */
  double lifetime;  /* seconds from one use to the next, as last told; 0: for ever, or not told */
  struct uri *root; /* owned reference: serviceURI/datasnap */
  struct uri *rest, *cache,
      *batch;            /* owned references: .../rest, where methods are called; .../cache; .../json */
  struct identity *next; /* owned reference: who the session is once closeSession has ended it; or NULL */
  struct uri *shown;     /* owned reference: the address that errors about the last answer show; or NULL */
};

enum datasnap_verb { DATASNAP_GET, DATASNAP_PUT, DATASNAP_POST, DATASNAP_DELETE };

/* Holds an id, copied, instead of the present one; a length of 0: none. False: no memory. */
bool datasnap_hold (struct session *s, const char *id, size_t length);

/* The length of its text without the slash at the end. */
size_t datasnap_length (const struct uri *uri);

/* datasnap_judge.c */
void datasnap_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                     struct finding *found);

/* verdict_judge of an exchange whose address ends in parameters, which are none of an error's. */
void datasnap_judge_call (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found);

/* Pushes the value of a body: its JSON, or the text as it is; true when it is empty. False: it calls itself JSON and is none. */
bool datasnap_push_value (lua_State *L, const struct exchange *x);

/* True if the body calls itself JSON. */
bool datasnap_says_json (const struct exchange *x);

/* The answer would be well but for its body. */
void datasnap_blame_body (struct finding *found, const char *what);

/* datasnap_address.c: pushes an address as text; raises for what cannot be in one. */

/*
** For a call: class, method, parameters and filters stand at these indices. Pushes the address, and the body's text or
** nil. `what` names the user's call.
*/
void datasnap_push_call (lua_State *L, const struct session *s, const char *what, enum datasnap_verb verb,
                         int class_name, int params, int filters);

/* serviceURI/datasnap/rest/, or without `rest` what is before it. */
void datasnap_push_prefix (lua_State *L, const struct session *s, bool rest);

/* Of the cache, by the suffix at `suffix`; with the id that is held as `sid` if `with_id`. */
void datasnap_push_cache (lua_State *L, const struct session *s, int suffix, bool with_id);

/* The body of a batch of the calls in the table at `index`. */
void datasnap_push_batch (lua_State *L, int index);

/* datasnap_call.c: the methods that talk to the server, and those that only tell addresses. */
int datasnap_invoke (lua_State *L);
int datasnap_cache (lua_State *L);
int datasnap_batch (lua_State *L);
int datasnap_get_method_url (lua_State *L);
int datasnap_get_cache_url (lua_State *L);
int datasnap_get_url_prefix (lua_State *L);

/* GET DSAdmin/GetPlatformName, which any server answers to anybody. */
bool datasnap_ask_platform (lua_State *L, struct operation *op, operation_step step);

/* datasnap_store.c: what is kept of a session in a store. */
void datasnap_push_name (lua_State *L, struct session *s);
void datasnap_save (lua_State *L, struct session *s);
bool datasnap_restore (lua_State *L, struct session *s);

#pragma GCC visibility pop

#endif
