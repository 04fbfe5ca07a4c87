/*
** btt: what the parts of the Rich Client's protocol share: protocol_btt.c has the verbs, btt_options.c what a session is made
** with, btt_establish.c how one is established, btt_reply.c how a reply becomes a table, btt_judge.c what it says of the
** session, btt_encode.c and btt_call.c how operations are run, btt_cookies.c and btt_message.c what knows nothing of sessions.
*/
#ifndef PROTOCOL_BTT_BTT_H
#define PROTOCOL_BTT_BTT_H

#include "protocol/btt/cookies.h"
#include "protocol/btt/message.h"
#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_btt;

/* A text that is wiped. */
struct text {
  char *data; /* owned; ends in a NUL; NULL: none */
  size_t length;
};

bool text_set (const struct allocator *memory, struct text *t,
               struct span s); /* false: no memory. A span without a text is none */
void text_wipe (const struct allocator *memory, struct text *t);
bool text_move (const struct allocator *memory, struct text *to,
                struct text *from); /* from's becomes to's, if it has one */
struct span text_span (const struct text *t);
bool text_same (const struct text *a, const struct text *b);

/* The hidden fields that a page gives and the next request gives back. */
enum {
  PAGE_ID,
  PAGE_PARENT,
  PAGE_APPLICATION,
  PAGE_PROCESSOR,
  PAGE_STATE,
  PAGE_EVENT,
  PAGE_REPLY,
  PAGE_FIELDS
};
extern const char *const btt_page_names[PAGE_FIELDS];

enum { REPLY_MOST_TEXT = 65536 }; /* bytes of one text that a server gives us to give back */

/* What an answer says, as far as the session is concerned. */
struct reply {
  bool has_status, ok; /* a status; it is OK */
  bool has_page;       /* at least a dse_pageId */
  bool
      too_long; /* what would be given back, an id or a field of the page, passes REPLY_MOST_TEXT: it is not here */
  double timeout; /* seconds; < 0: it says none */
  struct text id, server_id, page[PAGE_FIELDS];
  char code[65]; /* the toolkit's code or exception, or the status that is not OK; "" */
};

enum btt_format { FORMAT_FORM, FORMAT_JSON, FORMAT_XML };

struct btt {
  const struct allocator *memory; /* borrowed */

  /* Options; texts are borrowed from the table in SESSION_WIRE. Paths begin with '/' */
  const char *establish_path, *request_path, *close_path, *close_operation, *parameter, *cookie;
  enum btt_format format;
  bool encodes, decodes, classifies; /* by functions of the user's in that table */
  bool by_cookie, by_parameter;      /* what carries the session */
  bool keeps;                        /* cookiePolicy is "keep" */
  bool in_session;                   /* operations need a session */
  bool replay;                       /* calls may be repeated unless they say otherwise */
  unsigned close_tries;
  double late; /* seconds that a late reply is waited for; 0: not at all */
  struct text tid, predefined, server_option;

  /* What is known */
  struct text id, server_id, page[PAGE_FIELDS];
  struct text offered; /* the id that a reply named in place of ours */
  double lifetime;     /* seconds that the server gave it, anew with each good answer; 0: it did not say */
  double page_lost;    /* of clock_now: when an answer that may have held a page was lost; 0: none was */
  bool page_old;       /* what was asked before that cannot be the latest page */
  bool inferred;       /* the id is a guess from the cookie: it is sent and compared nowhere */
  bool tried;          /* an attempt to establish it has come to an end */
  bool joins;          /* what establishes it finds a session that there is: createSession=false */
  struct cookies cookies;
  struct reply heard; /* of the answer that is being judged; learn takes what it keeps from there */
  lua_Integer requests;
};

struct btt *btt_of (const struct session *s);

/* Keys of the table in SESSION_WIRE beside the functions encode, decode, classify, onLateReply and the texts kept for C. */
#define BTT_REPLY "reply" /* the last answer to a call, on its way to who waits for it */

/* Marks on an exchange: x->tag. */
enum {
  BTT_SET_COOKIE = 1,
  BTT_IS_CALL = 2,
  BTT_EPOCH = 4 /* times the session's epoch when it was described */
};

/* btt_options.c */
extern const char *const btt_options[];
void btt_configure (lua_State *L, struct session *s);

/* btt_establish.c. All but `carry` raise nothing else than a lack of memory. */
void btt_check_login (lua_State *L, struct session *s);
bool btt_login (lua_State *L, struct operation *op, const struct credentials *as);
bool btt_reestablish (lua_State *L, struct operation *op, unsigned attempt);
bool btt_find_again (lua_State *L, struct operation *op,
                     operation_step step); /* asks for the session by TID or id */
bool btt_can_find (const struct btt *b);
bool btt_carry (struct session *s,
                struct exchange *x); /* protocol->carry, but for what establishes a session */
bool btt_carry_cookies (struct session *s, struct exchange *x);

/* btt_reply.c */
bool btt_push_reply (lua_State *L, const struct session *s,
                     const struct exchange *x);               /* a table or, false, nil: it cannot be read */
bool btt_read_reply (lua_State *L, int index, struct btt *b); /* into b->heard; false: no memory */
void btt_forget_reply (struct btt *b);                        /* b->heard */

/* btt_judge.c: of the protocol */
void btt_hear (lua_State *L, struct session *s, const struct exchange *x);
void btt_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found);
void btt_judge_failure (const struct session *s, const struct exchange *x, struct finding *found);

/* btt_encode.c: pushes the body and its content type for the arguments, which are all there is on the stack. Raises. */
enum { CALL_SESSION = 1, CALL_OPERATION, CALL_DATA, CALL_OPTIONS, CALL_FIELDS };
void btt_push_body (lua_State *L, const struct session *s);

/* btt_call.c */
int btt_invoke (lua_State *L);
bool btt_send_close (lua_State *L, struct operation *op, operation_step step);

/* Pushes a function of the user's, below the table of SESSION_WIRE no more; false, and nothing pushed: there is none. */
bool btt_push_function (lua_State *L, const struct session *s, const char *name);

/* What the next request would say of the page that it comes from. */
void btt_forget_page (struct btt *b);

#pragma GCC visibility pop

#endif
