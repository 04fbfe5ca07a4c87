// A program in C++ with an event loop: it waits for the descriptor of the library and for its own, here the
// standard input. Usage: host SERVICE_URI, of a service that logs in by form. An empty line, or the end of
// the input, ends it.
//
//   make static
//   c++ -Ibuild/static $(pkg-config --cflags lua5.4) -o host examples/host.cpp build/static/datasession.o
//     -l:liblua5.4-cjson.a -llua5.4 -lcurl -lm -pthread
#include "datasession.h"

#include <algorithm>
#include <iostream>
#include <lua.hpp>
#include <memory>
#include <poll.h>
#include <stdexcept>
#include <string>

extern "C" int luaopen_cjson (lua_State *L);
extern "C" int luaopen_cjson_safe (lua_State *L);

namespace {

const char script[] = R"lua(
  local datasession = require "datasession"
  local session = datasession.new { serviceURI = ..., authenticationModel = "form" }
  session:subscribe("online", function() print "online" end)
  session:subscribe("offline", function(_, reason) print("offline: " .. reason) end)
  session:login("lua", "secret"):next(nil, print)

  function stop()
    session:invalidate():done(function() print "logged out" end)
  end
)lua";

class Lua {
public:
  Lua() : state(luaL_newstate(), lua_close) {
    if (!state) throw std::bad_alloc();
    luaL_openlibs(L());
    luaL_requiref(L(), "cjson", luaopen_cjson, 0);
    luaL_requiref(L(), "cjson.safe", luaopen_cjson_safe, 0);
    luaL_requiref(L(), "datasession", luaopen_datasession, 0);
    lua_settop(L(), 0);
  }

  void run(const std::string &text, const std::string &argument) {
    check(luaL_loadbuffer(L(), text.data(), text.size(), "=script"));
    lua_pushstring(L(), argument.c_str());
    check(lua_pcall(L(), 1, 0, 0));
  }

  void call(const char *name) {
    lua_getglobal(L(), name);
    check(lua_pcall(L(), 0, 0, 0));
  }

  // True while something is pending.
  bool step() {
    int pending = datasession_step(L(), 0, 0);
    if (pending < 0) fail();
    return pending > 0;
  }

  int descriptor() const { return datasession_pollfd(L()); }

  // Milliseconds until the next step; -1: none is due. Without a descriptor the steps are 20 ms apart.
  int patience() const {
    double seconds = datasession_timeout(L());
    int due = seconds < 0 ? -1 : static_cast<int>(std::min(seconds, 1e6) * 1000) + 1;
    if (descriptor() >= 0) return due;
    return due < 0 ? 20 : std::min(due, 20);
  }

private:
  lua_State *L() const { return state.get(); }

  void check(int status) {
    if (status != LUA_OK) fail();
  }

  [[noreturn]] void fail() {
    std::string message = luaL_tolstring(L(), -1, nullptr);
    lua_settop(L(), 0);
    throw std::runtime_error(message);
  }

  std::unique_ptr<lua_State, decltype(&lua_close)> state;
};

void serve (Lua &lua) {
  bool asked = false; // to stop
  while (lua.step() || !asked) {
    pollfd fds[] = {{lua.descriptor(), POLLIN, 0}, {asked ? -1 : 0, POLLIN, 0}};
    poll(fds, 2, lua.patience());
    std::string line;
    if (fds[1].revents && (!std::getline(std::cin, line) || line.empty())) {
      asked = true;
      lua.call("stop");
    }
  }
}

} // namespace

int main (int argc, char **argv) {
  if (argc != 2) return std::cerr << "usage: host SERVICE_URI\n", 2;
  try {
    Lua lua;
    lua.run(script, argv[1]);
    serve(lua);
  } catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
