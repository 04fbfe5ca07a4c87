rockspec_format = "3.0"
package = "datasession-sandbox"
version = "scm-1"

-- A rock of its own, so that the client needs no libmicrohttpd. It brings the C module only: the Lua files of
-- datasession.sandbox are in the rock datasession. From the top of a work tree:
--   luarocks make packaging/datasession-sandbox-scm-1.rockspec
-- (Not beside datasession-scm-1.rockspec: a plain `luarocks make` would not know which of the two is meant.)
source = { url = "git+file://." }

description = {
  summary = "A server in a thread of the process, to test datasession programs against",
  license = "MIT",
  labels = { "http", "testing" },
}

dependencies = { "lua >= 5.4, < 5.6", "datasession" }
external_dependencies = { MICROHTTPD = { library = "microhttpd" } }

-- By make, as builtin would install all of lua/ a second time.
build = {
  type = "make",
  build_target = "sandbox",
  build_variables = {
    BUILD = "build/rock",
    CFLAGS = "$(CFLAGS)",
    WARNINGS = "",
    LUA_INCDIR = "$(LUA_INCDIR)",
  },
  install_pass = false,
  install = { lib = { ["datasession.sandbox.core"] = "build/rock/lib/datasession/sandbox/core.so" } },
}
