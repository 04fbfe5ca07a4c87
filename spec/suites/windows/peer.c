/* peer: one connection with a process of this machine, for spec/suites/windows/sandbox.lua under Windows. */
#ifdef _WIN32

#include <lauxlib.h>
#include <winsock2.h>

#include <string.h>

static SOCKET check (lua_State *L) {
  return *(SOCKET *)luaL_checkudata(L, 1, "peer");
}

/* send(self, text): true, or nil and a message */
static int l_send (lua_State *L) {
  SOCKET s = check(L);
  size_t left;
  const char *text = luaL_checklstring(L, 2, &left);
  while (left) {
    int n = send(s, text, left < 65536 ? (int)left : 65536, 0);
    if (n <= 0) return luaL_error(L, "send: %d", WSAGetLastError());
    text += n;
    left -= (size_t)n;
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* receive(self, what): so many bytes, or with "*l" a line without its end; nil: the other end is gone */
static int l_receive (lua_State *L) {
  SOCKET s = check(L);
  int line = lua_type(L, 2) == LUA_TSTRING;
  size_t left = line ? 1 : (size_t)luaL_checkinteger(L, 2);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  while (left) {
    char piece[4096];
    int n = recv(s, piece, line ? 1 : left < sizeof piece ? (int)left : (int)sizeof piece, 0);
    if (n <= 0) return 0;
    if (line && *piece == '\n') break;
    luaL_addlstring(&text, piece, (size_t)n);
    if (!line) left -= (size_t)n;
  }
  luaL_pushresult(&text);
  return 1;
}

/* connect(port) */
static int l_connect (lua_State *L) {
  static const luaL_Reg methods[] = {{"send", l_send}, {"receive", l_receive}, {NULL, NULL}};
  struct sockaddr_in address = {.sin_family = AF_INET};
  WSADATA about;
  int on = 1;
  SOCKET *s = lua_newuserdatauv(L, sizeof *s, 0);
  WSAStartup(MAKEWORD(2, 2), &about);
  address.sin_port = htons((u_short)luaL_checkinteger(L, 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  *s = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(*s, (struct sockaddr *)&address, sizeof address))
    return luaL_error(L, "connect: %d", WSAGetLastError());
  setsockopt(*s, IPPROTO_TCP, TCP_NODELAY, (const char *)&on, sizeof on);
  luaL_newmetatable(L, "peer");
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  return 1;
}

__declspec(dllexport) int luaopen_peer(lua_State *L);

int luaopen_peer (lua_State *L) {
  static const luaL_Reg functions[] = {{"connect", l_connect}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}

#else

typedef int peer_is_not_used; /* ISO C forbids an empty translation unit */

#endif
