--- Server sessions: who is logged in, known by a cookie's value or by a client context id, until
-- idle for too long.
local Sessions = {}
Sessions.__index = Sessions

local SWEEP = 1000 -- sessions opened between two looks for those that expired and never came back

--- `site` gives the clock, the tokens and the idle timeout.
-- @param options table or nil: functions in place of the site's: `newId`, which makes up an id, and
--   `idleTimeout`, which gives the seconds that a session may be idle for
local function new(site, options)
  options = options or {}
  return setmetatable({
    site = site, byId = {}, byContext = {}, opened = 0, newId = options.newId or site.token,
    idleTimeout = options.idleTimeout or function() return site.idleTimeout end,
  }, Sessions)
end

--- The seconds of an idle timeout in milliseconds, of which 0 stand for ever.
local function secondsOf(milliseconds)
  return milliseconds > 0 and milliseconds / 1000 or math.huge
end

--- A new session of a user, nil for none: `id` (for the cookie), `contextId`, `user`.
function Sessions:open(user)
  self.opened = self.opened + 1
  if self.opened % SWEEP == 0 then self:sweep() end
  local session = { contextId = self.site.token() .. ".sports", user = user, used = self.site.clock() }
  repeat session.id = self.newId() until not self.byId[session.id]
  self.byId[session.id], self.byContext[session.contextId] = session, session
  return session
end

function Sessions:close(session)
  self.byId[session.id], self.byContext[session.contextId] = nil, nil
end

--- Lets a session count as used for so many seconds from now on, for the tokens that it gave.
function Sessions:keep(session, seconds)
  session.keptUntil = self.site.clock() + seconds
end

function Sessions:isIdle(session)
  local used = math.max(session.used, session.keptUntil or session.used)
  return self.site.clock() - used > self.idleTimeout()
end

--- The seconds until a session has been idle for too long, unless it is used before.
function Sessions:secondsLeft(session)
  local used = math.max(session.used, session.keptUntil or session.used)
  return used + self.idleTimeout() - self.site.clock()
end

--- Whether a session has neither been closed nor been idle for too long.
function Sessions:isAlive(session)
  return self.byId[session.id] == session and not self:isIdle(session)
end

--- The live session of a cookie's value or of a context id, which is in use from now on; nil when
-- there is none.
function Sessions:find(id)
  local session = self.byId[id] or self.byContext[id]
  if not session then return nil end
  if self:isIdle(session) then
    self:close(session)
    return nil
  end
  session.used = self.site.clock()
  return session
end

function Sessions:sweep()
  for _, session in pairs(self.byId) do
    if self:isIdle(session) then self:close(session) end -- clearing a field while traversing is allowed
  end
end

function Sessions:closeAll()
  self.byId, self.byContext = {}, {}
end

--- How many are alive.
function Sessions:count()
  self:sweep()
  local n = 0
  for _ in pairs(self.byId) do n = n + 1 end
  return n
end

return { new = new, secondsOf = secondsOf }
