--- sandbox.

local datasession = require "datasession"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"
local closing = require("datasession.internal.lua").closing

local sandbox = {}

local HINTS = [[

User lua, password secret; bearer token letmein. Try:
  datasession doctor %s%s --user lua
  datasession login %s%s --user lua --catalog static/CustomerService.json

Ctrl-C ends the server.
]]

local function printAddresses(server)
  local names = {}
  for name in pairs(server.uris) do names[#names + 1] = name end
  table.sort(names)
  local rows = {}
  for i, name in ipairs(names) do rows[i] = { name, server.uris[name], server.catalogURIs[name] or "" } end
  io.stdout:write((show.table({ "application", "address", "catalog" }, rows)))
  local trust = server.caFile and " --ca-file " .. server.caFile or ""
  io.stdout:write(HINTS:format(server.uris.form, trust, server.uris.form, trust))
end

function sandbox.sandbox(args)
  local found, module = pcall(require, "datasession.sandbox")
  if not found then fail.with("failed", module) end
  local server = fail.unless(module.start { port = args.port, tls = args.tls or nil })
  if args.json then
    show.json {
      origin = server.origin, uris = server.uris, catalogs = server.catalogURIs, caFile = server.caFile,
    }
  else
    printAddresses(server)
  end
  io.stdout:flush()
  closing(server, function()
    while true do datasession.sleep(3600) end
  end)
end

return sandbox
