/*
** btt: what the files of the Rich Client's protocol share. protocol.c has the verbs, options.c the options,
** establish.c the request that establishes a session. reply.c makes a reply a table, judge.c judges it.
** encode.c and call.c run operations. cookies.c and message.c know nothing of sessions.
*/
#ifndef PROTOCOL_BTT_BTT_H
#define PROTOCOL_BTT_BTT_H

#include "protocol/btt/cookies.h"
#include "protocol/btt/message.h"
#include "session/protocol.h"

#pragma GCC visibility push(hidden)

extern const struct protocol protocol_btt;

/* A text that is wiped when it is freed. */
struct text {
  char *data; /* owned; ends in a NUL; NULL: none */
  size_t length;
};

/* Copies `s`; a span without a text clears `t`. False: out of memory. */
bool text_set (const struct allocator *memory, struct text *t, struct span s);
void text_wipe (const struct allocator *memory, struct text *t);

/* Moves the text of `from` to `to`. False: `from` has none. */
bool text_move (const struct allocator *memory, struct text *to, struct text *from);
struct span text_span (const struct text *t);
bool text_same (const struct text *a, const struct text *b);

/* The hidden fields of a page, which the next request sends back. */
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

enum { REPLY_MOST_TEXT = 65536 }; /* bytes of one text that requests send back */

/* The parts of a reply that concern the session. */
struct reply {
  bool has_status, ok; /* it has a status; the status is OK */
  bool has_page;       /* at least a dse_pageId */
  bool too_long;       /* an id or a page's field exceeds REPLY_MOST_TEXT and is left out */
  double timeout;      /* seconds; < 0: it has none */
  struct text id, server_id, tid, page[PAGE_FIELDS];
  char code[65]; /* the toolkit's code or exception, or a status other than OK; "": none */
};

enum btt_format { FORMAT_FORM, FORMAT_JSON, FORMAT_XML };

struct btt {
  const struct allocator *memory; /* borrowed */

  /* Options; texts are borrowed from the table in SESSION_DATA. Paths begin with '/' */
  const char *establish_path, *request_path, *close_path, *close_operation, *parameter, *cookie;
  const char *dtds; /* the folder of the DTDs, which a document type names; NULL: messages have none */
  enum btt_format format;
  bool encodes, decodes, classifies; /* that table has a function of the user's for it */
  bool by_cookie, by_parameter;      /* what carries the session's id */
  bool keeps;                        /* cookiePolicy is "keep" */
  bool in_session;                   /* operations need a session */
  bool replay;                       /* calls may be repeated unless they say otherwise */
  bool declares, quotes;             /* XML begins with a declaration; has its values in double quotes */
  unsigned close_tries;
  double late; /* seconds that a late reply is awaited; 0: not at all */
  struct text tid, predefined, server_option;

  /* The server's session */
  struct text id, server_id, page[PAGE_FIELDS];
  struct text offered; /* the id of another session, which a reply named */
  double lifetime;     /* seconds, from each good response on; 0: the server gave none */
  double page_lost;    /* of clock_now: when a response that may have held a page was lost; 0: never */
  bool page_old;       /* the response's request is older than that: its page is not the latest */
  bool inferred;       /* the id is a guess from the cookie: it is neither sent nor compared */
  bool tried;          /* an attempt to establish the session has ended */
  bool joins;          /* the next one finds an existing session: createSession=false */
  struct cookies cookies;
  struct reply heard; /* of the response that is judged; `learn` takes from it */
  lua_Integer requests;
};

struct btt *btt_of (const struct session *s);

/*
** The table in SESSION_DATA has the functions encode, decode, classify, onLateReply, texts kept for C, and
** this key:
*/
#define BTT_REPLY "reply" /* the last reply to a call, until the call takes it */

/* Marks on an exchange: x->tag. */
enum {
  BTT_SET_COOKIE = 1,
  BTT_IS_CALL = 2,
  BTT_EPOCH = 4 /* times the session's epoch when it was described */
};

/* options.c */
extern const char *const btt_options[];
void btt_configure (lua_State *L, struct session *s);

/* options.c: the names of the DTDs of requests */
#define BTT_SESSION_DTD "sessionRequest.dtd"
#define BTT_REQUEST_DTD "request.dtd"
#define BTT_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define BTT_DOCTYPE "<!DOCTYPE requestMsg SYSTEM \""

/* establish.c. All but `carry` may raise, but only out of memory. */
void btt_check_login (lua_State *L, struct session *s);
bool btt_login (lua_State *L, struct operation *op, const struct credentials *as);
bool btt_reestablish (lua_State *L, struct operation *op, unsigned attempt);

/* Asks for the session by TID or id. */
bool btt_find_again (lua_State *L, struct operation *op, operation_step step);
bool btt_can_find (const struct btt *b);

/* protocol->carry; not for requests that establish a session. */
bool btt_carry (struct session *s, struct exchange *x);
bool btt_carry_cookies (struct session *s, struct exchange *x);

/* reply.c */

/* Pushes the reply's table. False, and nil is pushed: it cannot be read. */
bool btt_push_reply (lua_State *L, const struct session *s, const struct exchange *x);
bool btt_read_reply (lua_State *L, int index, struct btt *b); /* into b->heard; false: out of memory */
void btt_forget_reply (struct btt *b);                        /* b->heard */

/* judge.c: functions of struct protocol */
void btt_hear (lua_State *L, struct session *s, const struct exchange *x);
void btt_judge (lua_State *L, struct session *s, const struct exchange *x, enum purpose purpose,
                struct finding *found);
void btt_judge_failure (const struct session *s, const struct exchange *x, struct finding *found);

/* encode.c: pushes the body and its content type for the arguments, which are all of the stack. Raises. */
enum { CALL_SESSION = 1, CALL_OPERATION, CALL_DATA, CALL_OPTIONS, CALL_FIELDS };
void btt_push_body (lua_State *L, const struct session *s);

/* call.c */
int btt_invoke (lua_State *L);
bool btt_send_close (lua_State *L, struct operation *op, operation_step step);

/*
** Pushes a function of the user's from the table of SESSION_DATA. False, and nothing pushed: there is none.
*/
bool btt_push_function (lua_State *L, const struct session *s, const char *name);

/* Forgets the page whose fields the next request would send. */
void btt_forget_page (struct btt *b);

#pragma GCC visibility pop

#endif
