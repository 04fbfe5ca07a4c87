--- Shared by the specs of protocol btt: a server, sessions with it, and the requests that it got.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local await = dofile "spec/support/await.lua"

local support = { LIMIT = await.LIMIT, rejected = await.rejected, settle = await.settle }

local EVENTS = { "statusChanged", "expired", "lost", "reconnecting", "reconnected", "reconnectFailed",
  "renewed" }

--- To be called first in a describe block: each case has a fresh support.server, and leaves nothing over.
function support.around(before_each, after_each, assert)
  before_each(function() support.server = assert(sandbox.start()) end)
  after_each(function()
    datasession.setLogger(nil)
    datasession.invalidateAllSessions { all = true }:await(support.LIMIT)
    local idle = datasession.run(support.LIMIT)
    datasession.onError(nil)
    support.server:close()
    assert.is_true(idle, "something is still in flight")
  end)
end

--- A session with the server; lost ones come back without waiting, unless the options say otherwise.
function support.new(options)
  options = options or {}
  options.protocol, options.serviceURI = "btt", options.serviceURI or support.server.uris.btt
  if options.reconnect == nil then options.reconnect = { delay = 0 } end
  return datasession.new(options)
end

--- The same, established.
function support.established(options)
  local session = support.new(options)
  assert(session:establishSession():await(support.LIMIT))
  support.server:clearRequests()
  return session
end

--- A list that fills with what the session fires: "statusChanged established", "reconnecting 1".
function support.listen(session, ...)
  local log = {}
  for _, event in ipairs(select("#", ...) > 0 and { ... } or EVENTS) do
    session:subscribe(event, function(_, first, second)
      if event == "renewed" or event == "lost" then first, second = nil, nil end
      local text = first == nil and event or event .. " " .. tostring(first)
      log[#log + 1] = event == "expired" and text .. " " .. tostring(second) or text
    end)
  end
  return log
end

--- The requests since the last call.
function support.asked()
  local list = support.server:requests()
  support.server:clearRequests()
  return list
end

--- Their bodies.
function support.bodies()
  local list = {}
  for i, request in ipairs(support.asked()) do list[i] = request.body end
  return list
end

--- An answer in the server's place, once, to the path that ends so.
function support.answer(path, body, options)
  local fault = { kind = "status", status = 200, path = path .. "$", body = body,
    contentType = "application/json" }
  for name, value in pairs(options or {}) do fault[name] = value end
  support.server:fault(fault)
end

support.ESTABLISH, support.REQUEST = "/CSEstablishSessionServlet", "/CSReqServlet"

return support
