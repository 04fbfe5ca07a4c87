rockspec_format = "3.0"
package = "datasession-sandbox"
version = "scm-1"

-- A rock of its own, so that the client needs none of libmicrohttpd, GnuTLS and LPeg. From the top of a work
-- tree:
--   luarocks make packaging/datasession-sandbox-scm-1.rockspec
-- (Not beside datasession-scm-1.rockspec: a plain `luarocks make` would not know which of the two is meant.)
source = { url = "git+https://datasession.example/datasession.git" }

description = {
  summary = "A server in a thread of the process, to test datasession programs against",
  homepage = "https://datasession.example",
  issues_url = "https://datasession.example/issues",
  maintainer = "datasession contributors <maintainers@datasession.example>",
  license = "MIT",
  labels = { "http", "testing" },
}

dependencies = { "lua >= 5.4, < 5.6", "datasession", "lpeg" }
external_dependencies = { MICROHTTPD = { library = "microhttpd" }, GNUTLS = { library = "gnutls" } }

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
  install = {
    lib = { ["datasession.sandbox.core"] = "build/rock/lib/datasession/sandbox/core.so" },
    lua = {
    -- files: written by `make rockspec`
    ["datasession.sandbox"] = "lua/datasession/sandbox.lua",
    ["datasession.sandbox.abl"] = "lua/datasession/sandbox/abl.lua",
    ["datasession.sandbox.applications.anonymous"] = "lua/datasession/sandbox/applications/anonymous.lua",
    ["datasession.sandbox.applications.basic"] = "lua/datasession/sandbox/applications/basic.lua",
    ["datasession.sandbox.applications.bearer"] = "lua/datasession/sandbox/applications/bearer.lua",
    ["datasession.sandbox.applications.btt"] = "lua/datasession/sandbox/applications/btt.lua",
    ["datasession.sandbox.applications.datasnap"] = "lua/datasession/sandbox/applications/datasnap.lua",
    ["datasession.sandbox.applications.form"] = "lua/datasession/sandbox/applications/form.lua",
    ["datasession.sandbox.applications.form_sso"] = "lua/datasession/sandbox/applications/form_sso.lua",
    ["datasession.sandbox.applications.oauth"] = "lua/datasession/sandbox/applications/oauth.lua",
    ["datasession.sandbox.applications.old"] = "lua/datasession/sandbox/applications/old.lua",
    ["datasession.sandbox.applications.proiv"] = "lua/datasession/sandbox/applications/proiv.lua",
    ["datasession.sandbox.applications.sso"] = "lua/datasession/sandbox/applications/sso.lua",
    ["datasession.sandbox.btt.operations"] = "lua/datasession/sandbox/btt/operations.lua",
    ["datasession.sandbox.btt.reader"] = "lua/datasession/sandbox/btt/reader.lua",
    ["datasession.sandbox.btt.table"] = "lua/datasession/sandbox/btt/table.lua",
    ["datasession.sandbox.btt.writer"] = "lua/datasession/sandbox/btt/writer.lua",
    ["datasession.sandbox.btt.xml"] = "lua/datasession/sandbox/btt/xml.lua",
    ["datasession.sandbox.catalog"] = "lua/datasession/sandbox/catalog.lua",
    ["datasession.sandbox.check"] = "lua/datasession/sandbox/check.lua",
    ["datasession.sandbox.customers"] = "lua/datasession/sandbox/customers.lua",
    ["datasession.sandbox.data.changes"] = "lua/datasession/sandbox/data/changes.lua",
    ["datasession.sandbox.data.database"] = "lua/datasession/sandbox/data/database.lua",
    ["datasession.sandbox.data.fail"] = "lua/datasession/sandbox/data/fail.lua",
    ["datasession.sandbox.data.filter"] = "lua/datasession/sandbox/data/filter.lua",
    ["datasession.sandbox.data.invokes"] = "lua/datasession/sandbox/data/invokes.lua",
    ["datasession.sandbox.data.operation"] = "lua/datasession/sandbox/data/operation.lua",
    ["datasession.sandbox.data.orders"] = "lua/datasession/sandbox/data/orders.lua",
    ["datasession.sandbox.data.orderservice"] = "lua/datasession/sandbox/data/orderservice.lua",
    ["datasession.sandbox.data.refusals"] = "lua/datasession/sandbox/data/refusals.lua",
    ["datasession.sandbox.data.schema"] = "lua/datasession/sandbox/data/schema.lua",
    ["datasession.sandbox.data.service"] = "lua/datasession/sandbox/data/service.lua",
    ["datasession.sandbox.data.shape"] = "lua/datasession/sandbox/data/shape.lua",
    ["datasession.sandbox.data.sql"] = "lua/datasession/sandbox/data/sql.lua",
    ["datasession.sandbox.data.table"] = "lua/datasession/sandbox/data/table.lua",
    ["datasession.sandbox.datasnap.batch"] = "lua/datasession/sandbox/datasnap/batch.lua",
    ["datasession.sandbox.datasnap.cache"] = "lua/datasession/sandbox/datasnap/cache.lua",
    ["datasession.sandbox.datasnap.channels"] = "lua/datasession/sandbox/datasnap/channels.lua",
    ["datasession.sandbox.datasnap.jsontext"] = "lua/datasession/sandbox/datasnap/jsontext.lua",
    ["datasession.sandbox.datasnap.parameters"] = "lua/datasession/sandbox/datasnap/parameters.lua",
    ["datasession.sandbox.datasnap.results"] = "lua/datasession/sandbox/datasnap/results.lua",
    ["datasession.sandbox.datasnap.service"] = "lua/datasession/sandbox/datasnap/service.lua",
    ["datasession.sandbox.dump"] = "lua/datasession/sandbox/dump.lua",
    ["datasession.sandbox.faults"] = "lua/datasession/sandbox/faults.lua",
    ["datasession.sandbox.formlogin"] = "lua/datasession/sandbox/formlogin.lua",
    ["datasession.sandbox.handler"] = "lua/datasession/sandbox/handler.lua",
    ["datasession.sandbox.har"] = "lua/datasession/sandbox/har.lua",
    ["datasession.sandbox.http"] = "lua/datasession/sandbox/http.lua",
    ["datasession.sandbox.json"] = "lua/datasession/sandbox/json.lua",
    ["datasession.sandbox.log"] = "lua/datasession/sandbox/log.lua",
    ["datasession.sandbox.pages"] = "lua/datasession/sandbox/pages.lua",
    ["datasession.sandbox.replay"] = "lua/datasession/sandbox/replay.lua",
    ["datasession.sandbox.routes"] = "lua/datasession/sandbox/routes.lua",
    ["datasession.sandbox.sessions"] = "lua/datasession/sandbox/sessions.lua",
    ["datasession.sandbox.settings"] = "lua/datasession/sandbox/settings.lua",
    ["datasession.sandbox.setup"] = "lua/datasession/sandbox/setup.lua",
    ["datasession.sandbox.site"] = "lua/datasession/sandbox/site.lua",
    ["datasession.sandbox.tls"] = "lua/datasession/sandbox/tls.lua",
    ["datasession.sandbox.tokens"] = "lua/datasession/sandbox/tokens.lua",
    ["datasession.sandbox.webapplication"] = "lua/datasession/sandbox/webapplication.lua",
    -- end of files
    },
  },
}
