/* datasnap: what the files of the DataSnap protocol share: the state of its sessions, addresses, calls. */
#ifndef PROTOCOL_DATASNAP_DATASNAP_H
#define PROTOCOL_DATASNAP_DATASNAP_H

#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_datasnap;

/* `data` of a DataSnap session. */
struct datasnap {
  char *id;         /* owned, wiped: the server's id of the session; NULL: none is held */
  size_t id_size;   /* of the block, NUL included */
  double lifetime;  /* seconds without use until it expires, as last told; 0: unlimited, or not told */
  struct uri *root; /* owned reference: serviceURI/datasnap */
  struct uri *rest, *cache,
      *batch;            /* owned references: .../rest, where methods are called; .../cache; .../json */
  struct identity *next; /* owned reference: the session's identity after closeSession; or NULL */
  struct uri *shown;     /* owned reference: the address in errors about the last response; or NULL */
};

enum datasnap_verb { DATASNAP_GET, DATASNAP_PUT, DATASNAP_POST, DATASNAP_DELETE };

/* Replaces the id by a copy of this one; a length of 0: none. False: out of memory. */
bool datasnap_hold (struct session *s, const char *id, size_t length);

/* The length of the URI's text without the slash at its end. */
size_t datasnap_length (const struct uri *uri);

/* judge.c */
void datasnap_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                     struct finding *found);

/* As verdict_judge, for an address that ends in parameters, which errors must not show. */
void datasnap_judge_call (lua_State *L, struct operation *op, const struct exchange *x,
                          struct finding *found);

/*
** Pushes the value of a body: its JSON, or the text as it is; true when it is empty. False: it is labelled
** JSON and is not.
*/
bool datasnap_push_value (lua_State *L, const struct exchange *x);

/* True if the body is labelled JSON. */
bool datasnap_says_json (const struct exchange *x);

/* Blames the body of a response that is good otherwise. */
void datasnap_blame_body (struct finding *found, const char *what);

/* address.c: pushes addresses as text; raises for what no address can hold. */

/*
** Pushes the address of a call, and its body or nil. Class and method, parameters, and filters are at these
** indices. `what` names the user's call. With `streams` the body may be a list of texts and streams in turns.
*/
void datasnap_push_call (lua_State *L, const struct session *s, const char *what, enum datasnap_verb verb,
                         int class_name, int params, int filters, bool streams);

/* serviceURI/datasnap/rest/, or without `rest` serviceURI/datasnap/. */
void datasnap_push_prefix (lua_State *L, const struct session *s, bool rest);

/* The cache's address with the suffix at `suffix`; `with_id`: and with the held id as `sid`. */
void datasnap_push_cache (lua_State *L, const struct session *s, int suffix, bool with_id);

/* The body of a batch of the calls in the table at `index`. */
void datasnap_push_batch (lua_State *L, int index);

/* call.c: the methods that send requests, and those that only return addresses. */
int datasnap_invoke (lua_State *L);
int datasnap_cache (lua_State *L);
int datasnap_batch (lua_State *L);
int datasnap_get_method_url (lua_State *L);
int datasnap_get_cache_url (lua_State *L);
int datasnap_get_url_prefix (lua_State *L);
int datasnap_channel (lua_State *L); /* session:channel(options): by the Lua layer's hook */

/* Adds hang to the table on top. */
void datasnap_register (lua_State *L);

/* GET DSAdmin/GetPlatformName, which any server answers to anybody. */
bool datasnap_ask_platform (lua_State *L, struct operation *op, operation_step step);

/*
** Keeps the credentials of the session at `index` in an identity for later; none while a login has yet to
** prove them. protocol.c
*/
void datasnap_prepare_next (lua_State *L, struct session *s);

/* store.c: what a session keeps in a store. */
int datasnap_init_session_data (lua_State *L);
void datasnap_push_name (lua_State *L, struct session *s);
void datasnap_save (lua_State *L, struct session *s);
bool datasnap_restore (lua_State *L, struct session *s);

#pragma GCC visibility pop

#endif
