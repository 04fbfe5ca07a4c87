--- Named sessions that another process goes on with.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"
local datasession = require "datasession"
local shell = dofile "spec/support/shell.lua"
local storage = require "datasession.storage"

-- Logs in, and leaves the session in the store.
local function begin(application, directory)
  local session, login = client.login(application, nil,
    { name = application.name, storage = storage.file(directory) })
  checks.resolves(login, "login")
  checks.resolves(session:addCatalog("static/Catalog.json"), "addCatalog")
  session:setContextProperty("from", "the first")
  datasession.run(1)
end

local SAID = "restored, authorized, 500 bytes, 1 catalogs, the first, logged out\n"
local OTHER = "spec/suites/field/cases/named_process.lua"

return function(field)
  local directory = field.directory .. "/store"
  local forms = applications.of(field.servers, function(application) return application.model == "form" end)
  for _, application in ipairs(forms) do
    checks.at("named: " .. application.name)
    begin(application, directory)
    collectgarbage()
    local uri, caFile = application.uri, application.caFile or ""
    local said = shell.run(field.lua, OTHER, application.name, directory, uri, caFile)
    checks.equal(SAID, said, "what the other process says")
  end
end
