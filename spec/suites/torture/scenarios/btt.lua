-- The Bank Transformation Toolkit: establishing, pages, operations, closing, sessions that are lost.
local t = ...

local list = t.list()

local function making(options, fresh)
  local all = { protocol = "btt", reconnect = false }
  for name, value in pairs(options or {}) do all[name] = value end
  local make = t.making(all, fresh)
  return function()
    t.server:setBtt { answer = "json", carrier = "both", cookies = {}, lossAs = "CSS00", wrapper = false }
    return make()
  end
end

for _, format in ipairs { "form", "json", "xml" } do
  local xml = format == "xml" or nil
  local options = { format = format, closeOperation = "LogOff",
    xmlDeclaration = xml, xmlDoctype = xml, xmlQuotes = xml }
  list:once("btt: establishSession, " .. format, making(options, true),
    function(s) return s:establishSession() end)
  list:once("btt: invoke, " .. format, making(options),
    function(s) return s:invoke("Echo", { a = "1", b = "<&>" }) end)
  list:once("btt: closeSession, " .. format, making(options), function(s) return s:closeSession() end)
end

local session = making()
list:once("btt: establishSession joins one", function()
  local first = making { tid = "T-1" }()
  local s = making({ tid = "T-1" }, true)()
  s:subscribe("statusChanged", function() return first end)
  return s
end, function(s) return s:establishSession(false) end)
list:once("btt: establishSession refused", function()
  local s = making({}, true)()
  t.server:setBtt { refuseEstablish = 1 }
  return s
end, function(s)
  return t.refused(s:establishSession { newSession = true, tid = "T-2", timeout = 5 }, "server")
end)
list:once("btt: pages", function()
  t.server:setBtt { answer = "html", carrier = "parameter", cookies = { "a=1; Path=/", "b=2" } }
  return t.making { protocol = "btt", reconnect = false, format = "form" }()
end, function(s)
  return t.datasession.spawn(function()
    assert(s:invoke("Echo", { a = "1" }, { headers = { ["X-A"] = "b" }, fields = { c = "d" } }):await())
    return assert(s:request { path = "/CSReqServlet", method = "POST",
      body = "dse_operationName=Echo" }:await())
  end)
end)
list:once("btt: an operation that fails", session, function(s)
  return t.refused(s:invoke("Fail", {}, { timeout = 5, idempotent = true }), "server")
end)
list:once("btt: another session in its place", session, function(s)
  return t.refused(s:invoke "Replace", "expired")
end)
list:once("btt: ping", making { tid = "T-3" }, function(s) return s:ping() end)
list:once("btt: isAuthorized", making { tid = "T-4" }, function(s) return s:isAuthorized() end)
list:once("btt: stop", making { closeOperation = "LogOff" }, function(s) return s:stop(5) end)
list:once("btt: closed by an address", making { closePath = "/CSReqServlet" },
  function(s) return s:closeSession() end)
list:once("btt: request", session, function(s)
  return s:request { path = "/CSReqServlet", method = "POST", body = "dse_operationName=Echo",
    headers = { ["Content-Type"] = "application/x-www-form-urlencoded" } }
end)
list:act("btt: cookies", session, function(s)
  s:addCookie("teller", "7")
  assert(#s:cookies() > 0 or next(s:cookies()))
  assert(s:getSessionStatus() == "established" and (s:tid() or true))
  s:clearCookies()
end)
list:once("btt: an operation after the session's end", function()
  local s = session()
  t.server:expireSessions "btt"
  return s
end, function(s) return t.refused(s:invoke "Echo", "expired") end)
list:once("btt: a session that is established again", function()
  local s = making { reconnect = { delay = 0.01 }, tid = "T-5" }()
  s:subscribe("reconnecting", function() end)
  s:subscribe("reconnected", function() end)
  t.server:expireSessions "btt"
  return s
end, function(s) return s:invoke("Echo", { a = "1" }, { replay = true }) end, { "await", "handlers" })

return list
