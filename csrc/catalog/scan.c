/*
** A recursive descent over RFC 8259's grammar, guided by the shapes of a catalog's objects. It rejects as
** doubtful: anything outside the grammar; a repeated key in an object that it reads; escapes in a word that
** it reads; numbers and characters on which decoders differ; nesting deeper than any catalog needs.
*/
#include "catalog/scan.h"

#include "runtime/json_text.h"

#include <stdbool.h>
#include <string.h>

enum kind {
  STRING,
  NAME, /* a string, not empty, without escapes; kept in the scan */
  BOOLEAN,
  NUMBER,
  WORD_OR_NUMBER,
  STRINGS,    /* an array of strings */
  OBJECT,     /* of the shape */
  LIST,       /* an array of such objects */
  MAP,        /* an object whose members are such objects */
  TYPE,       /* an operation's */
  VERB,       /* the same */
  OPERATIONS, /* LIST, one of each type at most */
  SERVICES,   /* LIST, whose places are noted */
  RESOURCES,  /* LIST, the same */
  NEVER       /* the key is a mistake */
};

struct member {
  const char *name;
  enum kind kind;
  bool required;
  const struct shape *shape; /* of the value, or of its members */
};

struct shape {
  const struct member *members; /* the last has no name */
};

struct scan {
  lua_State *L;
  const char *text;
  struct json_text json;
  struct json_word name; /* the last NAME */
  unsigned type;         /* of the operation being read: an index in `types` */
  unsigned types_seen;   /* of the resource's operations: a bit for each type */
  lua_Integer resources, services;
  enum { AT_START, IN_DOCUMENT, IN_SERVICES, IN_SERVICE, IN_RESOURCES, AT_END } place;
  unsigned document_seen, service_seen; /* members, by their bits */
  lua_Integer start;                    /* position of the array of services */
};

/* On the Lua stack. */
enum { TEXT = 1, INDEX, SERVICE_LIST, NAME_LIST, STARTS, ENDS, PLACES, SERVICE /* being read, or nil */ };

typedef bool element (struct scan *s, const struct shape *shape);

/* Reads an array; `one` reads each element. */
static bool array (struct scan *s, element *one, const struct shape *shape) {
  bool ended;
  if (!json_enter(&s->json, '[', ']', &ended)) return false;
  while (!ended)
    if (!one(s, shape) || !json_go_on(&s->json, ']', &ended)) return false;
  return true;
}

/* Reads one member of an object, and sets its bit in `seen`. */
typedef bool member_taker (struct scan *s, const struct shape *shape, unsigned *seen);

static bool object (struct scan *s, member_taker *one, const struct shape *shape, unsigned *seen) {
  bool ended;
  if (!json_enter(&s->json, '{', '}', &ended)) return false;
  while (!ended)
    if (!one(s, shape, seen) || !json_go_on(&s->json, '}', &ended)) return false;
  return true;
}

static bool any_string (struct scan *s, const struct shape *shape) {
  (void)shape;
  return json_string(&s->json, NULL);
}

/* Reads a string that must be one of `words`, which end in NULL, in any case. */
static bool one_of (struct scan *s, const char *const words[], unsigned *which) {
  struct json_word word;
  size_t i;
  if (!json_string(&s->json, &word)) return false;
  for (*which = 0; words[*which]; ++*which) {
    const char *known = words[*which];
    for (i = 0; i < word.length && known[i] && (word.at[i] | 0x20) == known[i]; i++)
      ;
    if (i == word.length && !known[i]) return true;
  }
  return false;
}

static const char *const types[] = {"invoke", "create", "read", "update", "delete", "submit", "count", NULL};
static const char *const verbs[] = {"get", "post", "put", "delete", NULL};

static bool value (struct scan *s, const struct member *member);

/* The member of that key; NULL: the scan ignores the key. */
static const struct member *find (const struct shape *shape, struct json_word key) {
  const struct member *member;
  for (member = shape->members; member->name; member++)
    if (member->name[0] == (key.length ? key.at[0] : 0) && strlen(member->name) == key.length &&
        !memcmp(member->name, key.at, key.length))
      return member;
  return NULL;
}

/* Reads a member's key and colon. *member is NULL for an ignored key. False: the key is repeated. */
static bool claim_member (struct scan *s, const struct shape *shape, unsigned *seen,
                          const struct member **member) {
  struct json_word key;
  unsigned bit;
  if (!json_string(&s->json, &key) || !json_colon(&s->json)) return false;
  *member = find(shape, key);
  if (!*member) return true;
  bit = 1u << (*member - shape->members);
  if (*seen & bit) return false;
  *seen |= bit;
  return true;
}

static bool shaped_member (struct scan *s, const struct shape *shape, unsigned *seen) {
  const struct member *member;
  if (!claim_member(s, shape, seen, &member)) return false;
  return member ? value(s, member) : json_any(&s->json);
}

static bool has_required (const struct shape *shape, unsigned seen) {
  const struct member *member;
  for (member = shape->members; member->name; member++)
    if (member->required && !(seen >> (member - shape->members) & 1)) return false;
  return true;
}

static bool shaped (struct scan *s, const struct shape *shape) {
  unsigned seen = 0;
  return object(s, shaped_member, shape, &seen) && has_required(shape, seen);
}

static bool mapped_member (struct scan *s, const struct shape *shape, unsigned *seen) {
  (void)seen;
  return json_string(&s->json, NULL) && json_colon(&s->json) && shaped(s, shape);
}

static bool operation (struct scan *s, const struct shape *shape) {
  s->type = 0;
  if (!shaped(s, shape)) return false;
  if (!s->type) return true;
  if (s->types_seen >> s->type & 1) return false;
  s->types_seen |= 1u << s->type;
  return true;
}

static lua_Integer position (const struct scan *s, const char *at) {
  return (lua_Integer)(at - s->text) + 1;
}

static void set_position (struct scan *s, const char *name, lua_Integer at) {
  lua_pushinteger(s->L, at);
  lua_setfield(s->L, -2, name);
}

static void note (struct scan *s, int list, const char *at) {
  lua_pushinteger(s->L, position(s, at));
  lua_rawseti(s->L, list, s->resources);
}

static bool resource (struct scan *s, const struct shape *shape) {
  const char *start = s->json.at;
  bool taken;
  if (!shaped(s, shape)) return false;
  s->resources++;
  note(s, STARTS, start);
  note(s, ENDS, s->json.at - 1);
  lua_pushlstring(s->L, s->name.at, s->name.length);
  lua_pushvalue(s->L, -1);
  taken = lua_rawget(s->L, PLACES) != LUA_TNIL;
  lua_pop(s->L, 1);
  lua_pushvalue(s->L, -1);
  lua_rawseti(s->L, NAME_LIST, s->resources);
  lua_pushinteger(s->L, s->resources);
  lua_rawset(s->L, PLACES);
  return !taken;
}

static bool value (struct scan *s, const struct member *member) {
  unsigned verb;
  if (!member->required && member->kind != NEVER && json_null(&s->json)) return true;
  switch (member->kind) {
  case STRING: return json_string(&s->json, NULL);
  case NAME: return json_string(&s->json, &s->name) && s->name.length > 0;
  case BOOLEAN: return json_boolean(&s->json);
  case NUMBER: return json_number(&s->json);
  case WORD_OR_NUMBER: return json_string(&s->json, NULL) || json_number(&s->json);
  case STRINGS: return array(s, any_string, NULL);
  case OBJECT: return shaped(s, member->shape);
  case LIST: return array(s, shaped, member->shape);
  case MAP: return object(s, mapped_member, member->shape, NULL);
  case TYPE: return one_of(s, types, &s->type);
  case VERB: return one_of(s, verbs, &verb);
  case OPERATIONS: s->types_seen = 0; return array(s, operation, member->shape);
  case SERVICES:
  case RESOURCES: /* only the steps below read these */
  case NEVER: break;
  }
  return false;
}

/*
** A member of a schema's `properties` is a dataset, a table or a field; only its own members show which. This
** shape allows all three: what fits it is valid as each.
*/
static const struct shape part;

static const struct member items_members[] = {
    {"type", STRING, false, NULL}, {"$ref", STRING, false, NULL}, {"properties", MAP, false, &part}, {0}};
static const struct shape items = {items_members};

static const struct member part_members[] = {
    {"type", STRING, false, NULL},       {"ablType", STRING, false, NULL},
    {"format", STRING, false, NULL},     {"items", OBJECT, false, &items},
    {"maxItems", NUMBER, false, NULL},   {"origName", STRING, false, NULL},
    {"properties", MAP, false, &part},   {"primaryKey", STRINGS, false, NULL},
    {"idProperty", STRING, false, NULL}, {0}};
static const struct shape part = {part_members};

/* A schema without `properties` has the old form, or is wrong. */
static const struct member schema_members[] = {{"properties", MAP, true, &part}, {0}};
static const struct shape schema = {schema_members};

static const struct member pair_members[] = {
    {"parentFieldName", STRING, false, NULL}, {"childFieldName", STRING, false, NULL}, {0}};
static const struct shape pair = {pair_members};

static const struct member relation_members[] = {
    {"relationName", STRING, false, NULL}, {"parentName", STRING, false, NULL},
    {"childName", STRING, false, NULL},    {"relationFields", LIST, false, &pair},
    {"RelationName", NEVER, false, NULL},  {0}};
static const struct shape relation = {relation_members};

static const struct member param_members[] = {
    {"name", STRING, false, NULL}, {"type", STRING, false, NULL}, {"xType", STRING, false, NULL}, {0}};
static const struct shape param = {param_members};

static const struct member operation_members[] = {{"type", TYPE, false, NULL},
                                                  {"name", STRING, false, NULL},
                                                  {"verb", VERB, false, NULL},
                                                  {"path", STRING, false, NULL},
                                                  {"params", LIST, false, &param},
                                                  {"useBeforeImage", BOOLEAN, false, NULL},
                                                  {"mergeMode", WORD_OR_NUMBER, false, NULL},
                                                  {"mappingType", STRING, false, NULL},
                                                  {"capabilities", STRING, false, NULL},
                                                  {0}};
static const struct shape operation_shape = {operation_members};

static const struct member resource_members[] = {{"name", NAME, true, NULL},
                                                 {"path", STRING, false, NULL},
                                                 {"idProperty", STRING, false, NULL},
                                                 {"schema", OBJECT, false, &schema},
                                                 {"relations", LIST, false, &relation},
                                                 {"operations", OPERATIONS, false, &operation_shape},
                                                 {0}};
static const struct shape resource_shape = {resource_members};

static const struct member settings_members[] = {{"useRequest", BOOLEAN, false, NULL},
                                                 {"sendOnlyChanges", BOOLEAN, false, NULL},
                                                 {"unwrapped", BOOLEAN, false, NULL},
                                                 {"useXClientProps", BOOLEAN, false, NULL},
                                                 {0}};
static const struct shape settings = {settings_members};

static const struct member service_members[] = {{"name", NAME, true, NULL},
                                                {"address", STRING, false, NULL},
                                                {"useRequest", BOOLEAN, false, NULL},
                                                {"settings", OBJECT, false, &settings},
                                                {"resources", RESOURCES, true, &resource_shape},
                                                {0}};
static const struct shape service_shape = {service_members};

static const struct member document_members[] = {{"services", SERVICES, true, &service_shape}, {0}};
static const struct shape document = {document_members};

/*
** Above the resources the scan runs in steps, and can pause before each member of the document or of a
** service, each service and each resource.
*/

static bool end_services (struct scan *s);
static bool end_resources (struct scan *s);

/* Leaves an object whose members have been read. */
static bool end_object (struct scan *s) {
  bool ended;
  if (s->place == IN_DOCUMENT) {
    s->place = AT_END;
    return has_required(&document, s->document_seen);
  }
  if (!has_required(&service_shape, s->service_seen)) return false;
  set_position(s, "to", position(s, s->json.at) - 1);
  lua_rawseti(s->L, SERVICE_LIST, ++s->services);
  s->place = IN_SERVICES;
  return json_go_on(&s->json, ']', &ended) && (!ended || end_services(s));
}

static bool end_member (struct scan *s) {
  bool ended;
  return json_go_on(&s->json, '}', &ended) && (!ended || end_object(s));
}

static bool end_services (struct scan *s) {
  lua_pushvalue(s->L, INDEX);
  set_position(s, "from", s->start);
  set_position(s, "to", position(s, s->json.at) - 1);
  lua_pop(s->L, 1);
  s->place = IN_DOCUMENT;
  return end_member(s);
}

/* The service's table is on top. */
static bool end_resources (struct scan *s) {
  set_position(s, "stop", position(s, s->json.at) - 1);
  set_position(s, "last", s->resources);
  s->place = IN_SERVICE;
  return end_member(s);
}

static bool begin_list (struct scan *s, enum kind kind) {
  bool empty, services = kind == SERVICES;
  if (services)
    s->start = position(s, s->json.at);
  else {
    set_position(s, "first", s->resources + 1);
    set_position(s, "start", position(s, s->json.at));
  }
  if (!json_enter(&s->json, '[', ']', &empty)) return false;
  if (empty) return services ? end_services(s) : end_resources(s);
  s->place = services ? IN_SERVICES : IN_RESOURCES;
  return true;
}

static bool step_member (struct scan *s, const struct shape *shape, unsigned *seen) {
  const struct member *member;
  if (!claim_member(s, shape, seen, &member)) return false;
  if (member && (member->kind == SERVICES || member->kind == RESOURCES)) return begin_list(s, member->kind);
  return (member ? value(s, member) : json_any(&s->json)) && end_member(s);
}

static bool step_service (struct scan *s) {
  bool empty;
  lua_createtable(s->L, 0, 6);
  set_position(s, "from", position(s, s->json.at));
  if (!json_enter(&s->json, '{', '}', &empty)) return false;
  s->service_seen = 0;
  s->place = IN_SERVICE;
  return !empty || end_object(s);
}

static bool step_resource (struct scan *s) {
  bool ended;
  if (!resource(s, &resource_shape) || !json_go_on(&s->json, ']', &ended)) return false;
  return !ended || end_resources(s);
}

static bool begin_document (struct scan *s) {
  bool empty;
  json_space(&s->json);
  if (!json_enter(&s->json, '{', '}', &empty)) return false;
  s->place = IN_DOCUMENT;
  return !empty || end_object(s);
}

static bool step (struct scan *s) {
  switch (s->place) {
  case AT_START: return begin_document(s);
  case IN_DOCUMENT: return step_member(s, &document, &s->document_seen);
  case IN_SERVICES: return step_service(s);
  case IN_SERVICE: return step_member(s, &service_shape, &s->service_seen);
  case IN_RESOURCES: return step_resource(s);
  case AT_END: break; /* GCOVR_EXCL_LINE: the compiler wants each case, and callers stop at the end */
  }
  return false; /* GCOVR_EXCL_LINE: the compiler wants each case */
}

static void push_list (lua_State *L, int index, const char *name) {
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, index, name);
}

/* Continues the scan that is its upvalue; the text and the scan's tables are the next upvalues. */
static int scan_on (lua_State *L) {
  struct scan *s = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer bytes = luaL_checkinteger(L, 1);
  const char *from = s->json.at;
  int i;
  lua_settop(L, 0);
  luaL_checkstack(L, LUA_MINSTACK, NULL);
  for (i = TEXT; i <= SERVICE; i++)
    lua_pushvalue(L, lua_upvalueindex(1 + i));
  if (lua_isnil(L, SERVICE)) lua_pop(L, 1);
  s->L = L;
  while (s->place != AT_END) {
    if (!step(s)) return 0;
    if (s->json.at - from >= bytes) break;
  }
  if (s->place != AT_END) {
    lua_settop(L, SERVICE);
    lua_replace(L, lua_upvalueindex(1 + SERVICE));
    lua_pushboolean(L, true);
    return 1;
  }
  json_space(&s->json);
  if (s->json.at < s->json.end) return 0;
  lua_settop(L, INDEX);
  return 1;
}

int catalog_scanner (lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  struct scan *s;
  lua_settop(L, 1);
  lua_createtable(L, 0, 7);
  push_list(L, INDEX, "services");
  push_list(L, INDEX, "names");
  push_list(L, INDEX, "starts");
  push_list(L, INDEX, "ends");
  push_list(L, INDEX, "places");
  lua_pushnil(L);
  s = compat_newuserdata(L, sizeof *s, 0);
  memset(s, 0, sizeof *s);
  s->text = s->json.at = text;
  s->json.strict = true;
  s->json.end = text + length;
  lua_insert(L, 1);
  lua_pushcclosure(L, scan_on, 1 + SERVICE);
  return 1;
}

int catalog_scan (lua_State *L) {
  catalog_scanner(L);
  lua_pushinteger(L, LUA_MAXINTEGER);
  lua_call(L, 1, 1);
  return 1;
}
