/* module: registers what C provides to the Lua layer, as datasession.core. */
#if defined(__has_include)
#if !__has_include(<curl/curl.h>)
#error "no libcurl headers: apt install libcurl4-openssl-dev | dnf install libcurl-devel | brew install curl"
#include "libcurl, as said above" /* some compilers go on after #error, none after this */
#endif
#endif

#include "catalog/load.h"
#include "net/poller.h"
#include "net/version.h"
#include "protocol/datasnap/datasnap.h"
#include "protocol/jsdo/context.h"
#include "protocol/jsdo/provider.h"
#include "protocol/jsdo/token_provider.h"
#include "protocol/list.h"
#include "protocol/lua/protocol.h"
#include "runtime/calm.h"
#include "runtime/engine_limits.h"
#include "runtime/file_kind.h"
#include "runtime/json_plain.h"
#include "runtime/json_repair.h"
#include "runtime/json_row.h"
#include "runtime/json_rows.h"
#include "runtime/local_files.h"
#include "runtime/moment.h"
#include "runtime/numbers.h"
#include "runtime/recording.h"
#include "runtime/response.h"
#include "runtime/row_index.h"
#include "session/active_session.h"
#include "session/hooks.h"
#include "session/log.h"
#include "session/observer.h"
#include "session/session_binding.h"
#include "session/session_new.h"
#include "store/file_store.h"
#include "store/store.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

static const struct {
  const char *name;
  enum result value;
} result_constants[] = {
    {"LOGIN_AUTHENTICATION_REQUIRED", RESULT_AUTHENTICATION_REQUIRED},
    {"LOGIN_SUCCESS", RESULT_SUCCESS},
    {"SUCCESS", RESULT_SUCCESS},
    {"LOGIN_AUTHENTICATION_FAILURE", RESULT_AUTHENTICATION_FAILURE},
    {"AUTHENTICATION_FAILURE", RESULT_AUTHENTICATION_FAILURE},
    {"LOGIN_GENERAL_FAILURE", RESULT_GENERAL_FAILURE},
    {"GENERAL_FAILURE", RESULT_GENERAL_FAILURE},
    {"CATALOG_ALREADY_LOADED", RESULT_CATALOG_ALREADY_LOADED},
    {"ASYNC_PENDING", RESULT_ASYNC_PENDING},
    {"EXPIRED_TOKEN", RESULT_EXPIRED_TOKEN},
};

static const struct {
  const char *name, *value;
} text_constants[] = {
    {"AUTH_TYPE_ANON", "anonymous"},
    {"AUTH_TYPE_BASIC", "basic"},
    {"AUTH_TYPE_FORM", "form"},
    {"AUTH_TYPE_SSO", "sso"},
    {"AUTH_TYPE_FORM_SSO", "form_sso"},
    {"AUTH_TYPE_BEARER", "bearer"},
    {"DEVICE_OFFLINE", REASON_DEVICE},
    {"SERVER_OFFLINE", REASON_SERVER},
    {"WEB_APPLICATION_OFFLINE", REASON_APPLICATION},
    {"SERVICE_OFFLINE", REASON_SERVICE},
    {"APPSERVER_OFFLINE", REASON_APPSERVER},
    {"SESSION_EXPIRED", REASON_EXPIRED},
};

static void set_constants (lua_State *L) {
  size_t i;
  lua_createtable(L, 0,
                  sizeof result_constants / sizeof *result_constants +
                      sizeof text_constants / sizeof *text_constants);
  for (i = 0; i < sizeof result_constants / sizeof *result_constants; i++) {
    lua_pushinteger(L, result_constants[i].value);
    lua_setfield(L, -2, result_constants[i].name);
  }
  for (i = 0; i < sizeof text_constants / sizeof *text_constants; i++) {
    lua_pushstring(L, text_constants[i].value);
    lua_setfield(L, -2, text_constants[i].name);
  }
  lua_setfield(L, -2, "constants");
}

/* version(): what this build uses: { curl, tls, http2, poller }. */
static int l_version (lua_State *L) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, info->version);
  lua_setfield(L, -2, "curl");
  lua_pushstring(L, info->ssl_version ? info->ssl_version : "none");
  lua_setfield(L, -2, "tls");
  lua_pushboolean(L, (info->features & CURL_VERSION_HTTP2) != 0);
  lua_setfield(L, -2, "http2");
  lua_pushstring(L, !POLLER_DESCRIPTOR ? "curl_multi_poll" : POLLER_KQUEUE ? "kqueue" : "epoll");
  lua_setfield(L, -2, "poller");
  return 1;
}

/*
** Keeps this module, and libcurl with it, loaded after lua_close: a thread in which libcurl still resolves a
** name would otherwise return to unmapped code. The linker's -z nodelete does the same where a build can pass
** it.
*/
static void stay_loaded (void) {
#if defined(_WIN32)
  static const char here = 0; /* an address inside this module */
  HMODULE module;
  GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, &here, &module);
#elif defined(RTLD_NODELETE)
  static const char here = 0; /* an address inside this module */
  Dl_info module;
  void *handle = NULL;
  if (dladdr(&here, &module) != 0) handle = dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  if (handle) dlclose(handle); /* drops the reference; the mark stays */
#endif
}

static const struct session_hooks hooks = {protocol_list,
                                           protocol_lua_find,
                                           {store_configure, store_open, store_note, store_release},
                                           {provider_push_new, provider_identity, provider_holds,
                                            provider_retries, token_provider_left, provider_expire_sessions},
                                           {context_push, context_push_text, context_replace}};

#if defined(_WIN32)
__declspec(dllexport)
#elif defined(__GNUC__)
__attribute__((visibility("default")))
#endif
    int luaopen_datasession_core(lua_State *L);

int luaopen_datasession_core (lua_State *L) {
  enum { ABOUT = 64 }; /* the expected number of entries */
  static const luaL_Reg functions[] = {{"version", l_version}, {NULL, NULL}};
  struct loop *loop;
  stay_loaded();
  loop = loop_open(L, &operation_calls);
  session_set_hooks(L, &hooks);
  lua_createtable(L, 0, ABOUT);
  luaL_setfuncs(L, functions, 0);
  error_register(L);
  response_register(L);
  promise_register(L);
  moment_register(L);
  file_kind_register(L);
  local_files_register(L);
  loop_register(L, loop);
  recording_register(L);
  session_register(L);
  context_register(L);
  catalog_load_register(L);
  session_new_register(L);
  active_session_register(L);
  log_register(L);
  observer_register(L);
  engine_limits_register(L);
  protocol_lua_register(L);
  datasnap_register(L);
  provider_register(L);
  store_register(L);
  numbers_register(L);
  json_plain_register(L);
  json_repair_register(L);
  calm_register(L);
  json_rows_register(L);
  json_row_register(L);
  row_index_register(L);
  file_store_register(L, loop);
  set_constants(L);
  lua_pushliteral(L, "datasession " DATASESSION_VERSION);
  lua_setfield(L, -2, "_VERSION");
  return 1;
}
