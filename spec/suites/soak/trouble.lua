--- The server's faults: { weight, function(server, rnd) }.
local KINDS = {
  { kind = "slow" }, { kind = "reset" }, { kind = "close" }, { kind = "truncate" }, { kind = "malformed" },
  { kind = "html" }, { kind = "loginPage" }, { kind = "empty" },
  { kind = "status", status = 401 }, { kind = "status", status = 403 }, { kind = "status", status = 404 },
  { kind = "status", status = 500 }, { kind = "status", status = 503 },
  { kind = "redirect", location = "/SportsForm/static/home.html" },
  { kind = "redirect", location = "http://127.0.0.1:1/" },
  { kind = "raw", body = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc" },
  { kind = "raw", body = "nonsense" },
}
local MODELS = { "anonymous", "basic", "form", "form_sso", "sso", "bearer", "old", "proiv", "datasnap",
  "btt" }

local function fault(server, rnd)
  local options = {}
  for name, value in pairs(rnd:of(KINDS)) do options[name] = value end
  options.count = rnd:upTo(5)
  options.delay = rnd:chance(0.5) and rnd:number(0.05) or nil
  options.model = rnd:chance(0.3) and rnd:of(MODELS) or nil
  if options.kind == "slow" then options.delay = rnd:number(0.1) end
  server:fault(options)
end

local function proiv(server, rnd)
  server:setProiv {
    stop = rnd:of { "end", "end", "refuse", "refuseLater", "hang" }, polls = rnd:upTo(3) - 1,
    sessionKey = rnd:chance(0.5), finished = rnd:chance(0.1), lossAs = rnd:of { 401, 403, 404, 410, "lost" },
  }
end

local function stop(server, rnd)
  server:stop()
  if rnd:chance(0.5) then assert(server:start()) end
end

local trouble = {}

trouble.list = {
  { 20, fault },
  { 3, function(server) server:clearFaults() end },
  { 4, function(server, rnd) server:expireSessions(rnd:chance(0.7) and rnd:of(MODELS) or nil) end },
  { 3, function(server, rnd) server:setApplication(rnd:of(MODELS), rnd:chance(0.6)) end },
  { 2, function(server, rnd) server:setAppServer(rnd:chance(0.7)) end },
  { 1, stop },
  { 1, function(server, rnd) server:setPing(rnd:of { "new", "classic", "none" }) end },
  { 1, function(server) server:expireTokens() end },
  { 0.3, function(server) server:revokeTokens() end },
  { 1, function(server, rnd) server:setOldStyle(rnd:of { "pages", "redirect", "json" }) end },
  { 1, function(server, rnd) server:setCookies(rnd:chance(0.5)) end },
  { 2, proiv },
  { 2, function(server) server:resetChannels() end },
  { 0.3, function(server, rnd) server:advanceClock(rnd:of { 10, 600, 1300 }) end },
}

--- All is well again.
function trouble.calm(server)
  if not server:isRunning() then assert(server:start()) end
  server:clearFaults()
  for _, model in ipairs(MODELS) do server:setApplication(model, true) end
  server:setAppServer(true)
  server:setPing "new"
  server:setOldStyle "pages"
  server:setCookies(true)
  server:setProiv { stop = "end", polls = 1, sessionKey = false, finished = false, lossAs = 404 }
end

return trouble
