rockspec_format = "3.0"
package = "datasession"
version = "scm-1"

-- For `luarocks make` in a work tree, which fetches nothing; the rockspec of a release names its archive.
source = { url = "git+file://." }

description = {
  summary = "Sessions with application servers: log in, load catalogs, call, notice a loss, log out",
  detailed = [[
    Logs in once, loads the service catalogs, calls the services, knows when the line or the session is lost and
    gets it back, logs out cleanly. Speaks with the data object services of Progress OpenEdge (JSDO) over libcurl, never blocks
    a host that does not ask for it, and fits into any event loop. The sandbox, a server to test against, is the
    rock datasession-sandbox.]],
  license = "MIT",
  labels = { "http", "session", "async", "libcurl", "rest" },
}

dependencies = { "lua >= 5.4, < 5.6", "lua-cjson" }

-- The library alone: LuaRocks would look for the header in /usr/include, and Debian has it in a directory below,
-- which the compiler knows. When it is missing the compiler says what to install.
external_dependencies = { CURL = { library = "curl" } }

test_dependencies = { "busted", "luasocket", "luasec", "cqueues" }
test = { type = "command", command = "make test" }

build = {
  type = "builtin",
  modules = {
    -- files: written by `make rockspec`
    ["datasession.catalog"] = "lua/datasession/catalog.lua",
    ["datasession.catalog.check"] = "lua/datasession/catalog/check.lua",
    ["datasession.catalog.file"] = "lua/datasession/catalog/file.lua",
    ["datasession.catalog.object"] = "lua/datasession/catalog/object.lua",
    ["datasession.catalog.operation"] = "lua/datasession/catalog/operation.lua",
    ["datasession.catalog.schema"] = "lua/datasession/catalog/schema.lua",
    ["datasession.catalogs"] = "lua/datasession/catalogs.lua",
    ["datasession.codec"] = "lua/datasession/codec.lua",
    ["datasession.codec.exact"] = "lua/datasession/codec/exact.lua",
    ["datasession.codec.guard"] = "lua/datasession/codec/guard.lua",
    ["datasession"] = "lua/datasession/init.lua",
    ["datasession.persistence"] = "lua/datasession/persistence.lua",
    ["datasession.registry"] = "lua/datasession/registry.lua",
    ["datasession.sandbox"] = "lua/datasession/sandbox.lua",
    ["datasession.sandbox.abl"] = "lua/datasession/sandbox/abl.lua",
    ["datasession.sandbox.applications.anonymous"] = "lua/datasession/sandbox/applications/anonymous.lua",
    ["datasession.sandbox.applications.basic"] = "lua/datasession/sandbox/applications/basic.lua",
    ["datasession.sandbox.applications.bearer"] = "lua/datasession/sandbox/applications/bearer.lua",
    ["datasession.sandbox.applications.btt"] = "lua/datasession/sandbox/applications/btt.lua",
    ["datasession.sandbox.applications.datasnap"] = "lua/datasession/sandbox/applications/datasnap.lua",
    ["datasession.sandbox.applications.form"] = "lua/datasession/sandbox/applications/form.lua",
    ["datasession.sandbox.applications.form_sso"] = "lua/datasession/sandbox/applications/form_sso.lua",
    ["datasession.sandbox.applications.old"] = "lua/datasession/sandbox/applications/old.lua",
    ["datasession.sandbox.applications.proiv"] = "lua/datasession/sandbox/applications/proiv.lua",
    ["datasession.sandbox.applications.sso"] = "lua/datasession/sandbox/applications/sso.lua",
    ["datasession.sandbox.base64"] = "lua/datasession/sandbox/base64.lua",
    ["datasession.sandbox.btt.operations"] = "lua/datasession/sandbox/btt/operations.lua",
    ["datasession.sandbox.btt.reader"] = "lua/datasession/sandbox/btt/reader.lua",
    ["datasession.sandbox.btt.table"] = "lua/datasession/sandbox/btt/table.lua",
    ["datasession.sandbox.btt.writer"] = "lua/datasession/sandbox/btt/writer.lua",
    ["datasession.sandbox.btt.xml"] = "lua/datasession/sandbox/btt/xml.lua",
    ["datasession.sandbox.catalog"] = "lua/datasession/sandbox/catalog.lua",
    ["datasession.sandbox.check"] = "lua/datasession/sandbox/check.lua",
    ["datasession.sandbox.customers"] = "lua/datasession/sandbox/customers.lua",
    ["datasession.sandbox.customerservice"] = "lua/datasession/sandbox/customerservice.lua",
    ["datasession.sandbox.datasnap.batch"] = "lua/datasession/sandbox/datasnap/batch.lua",
    ["datasession.sandbox.datasnap.cache"] = "lua/datasession/sandbox/datasnap/cache.lua",
    ["datasession.sandbox.datasnap.jsontext"] = "lua/datasession/sandbox/datasnap/jsontext.lua",
    ["datasession.sandbox.datasnap.parameters"] = "lua/datasession/sandbox/datasnap/parameters.lua",
    ["datasession.sandbox.datasnap.results"] = "lua/datasession/sandbox/datasnap/results.lua",
    ["datasession.sandbox.datasnap.service"] = "lua/datasession/sandbox/datasnap/service.lua",
    ["datasession.sandbox.datasnap.sessions"] = "lua/datasession/sandbox/datasnap/sessions.lua",
    ["datasession.sandbox.faults"] = "lua/datasession/sandbox/faults.lua",
    ["datasession.sandbox.formlogin"] = "lua/datasession/sandbox/formlogin.lua",
    ["datasession.sandbox.http"] = "lua/datasession/sandbox/http.lua",
    ["datasession.sandbox.json"] = "lua/datasession/sandbox/json.lua",
    ["datasession.sandbox.log"] = "lua/datasession/sandbox/log.lua",
    ["datasession.sandbox.pages"] = "lua/datasession/sandbox/pages.lua",
    ["datasession.sandbox.sessions"] = "lua/datasession/sandbox/sessions.lua",
    ["datasession.sandbox.settings"] = "lua/datasession/sandbox/settings.lua",
    ["datasession.sandbox.site"] = "lua/datasession/sandbox/site.lua",
    ["datasession.sandbox.tokens"] = "lua/datasession/sandbox/tokens.lua",
    ["datasession.sandbox.webapplication"] = "lua/datasession/sandbox/webapplication.lua",
    ["datasession.storage"] = "lua/datasession/storage.lua",
    ["datasession.suggest"] = "lua/datasession/suggest.lua",
    ["datasession.core"] = {
      sources = {
        "csrc/module.c",
        "csrc/net/allocator.c",
        "csrc/net/buffer.c",
        "csrc/net/credentials.c",
        "csrc/net/engine.c",
        "csrc/net/exchange.c",
        "csrc/net/failure.c",
        "csrc/net/flight.c",
        "csrc/net/handle.c",
        "csrc/net/headers.c",
        "csrc/net/jar.c",
        "csrc/net/lanes.c",
        "csrc/net/poller_curl.c",
        "csrc/net/poller_epoll.c",
        "csrc/net/pool.c",
        "csrc/net/queue.c",
        "csrc/net/sigpipe.c",
        "csrc/net/timers.c",
        "csrc/net/transport.c",
        "csrc/net/uri.c",
        "csrc/net/watch.c",
        "csrc/session/active.c",
        "csrc/session/autoping.c",
        "csrc/session/catalog_loading.c",
        "csrc/session/chain.c",
        "csrc/session/context.c",
        "csrc/session/error.c",
        "csrc/session/events.c",
        "csrc/session/file_store.c",
        "csrc/session/finding.c",
        "csrc/session/identity.c",
        "csrc/session/journal.c",
        "csrc/session/jsdo_options.c",
        "csrc/session/json.c",
        "csrc/session/login.c",
        "csrc/session/loop.c",
        "csrc/session/making.c",
        "csrc/session/opening.c",
        "csrc/session/operation.c",
        "csrc/session/options.c",
        "csrc/session/persistence.c",
        "csrc/session/promise.c",
        "csrc/session/protocol_jsdo.c",
        "csrc/session/protocol_lua.c",
        "csrc/session/provider.c",
        "csrc/session/repair.c",
        "csrc/session/requesting.c",
        "csrc/session/response.c",
        "csrc/session/session.c",
        "csrc/session/session_binding.c",
        "csrc/session/transport_options.c",
        "csrc/session/waiting.c",
      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "csrc", "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl", "pthread" },
    },
    -- end of files
  },
}
