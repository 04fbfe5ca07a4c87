--- DataSnap's server sessions: known by an id, until closed or idle for longer than the timeout.
local Sessions = {}
Sessions.__index = Sessions

local SWEEP = 1000 -- sessions opened between two looks for those that expired and never came back

--- `site` gives the clock and the tokens; `timeout` is in milliseconds, 0: they never expire.
local function new(site, timeout)
  return setmetatable({ site = site, timeout = timeout, byId = {}, opened = 0 }, Sessions)
end

-- Three numbers of up to six digits, as the vendor's servers have them.
local function newId(site)
  local parts = {}
  for digits in site.token():sub(1, 24):gmatch("%x%x%x%x%x%x%x%x") do
    parts[#parts + 1] = ("%d"):format(tonumber(digits, 16) % 1000000)
  end
  return table.concat(parts, ".")
end

--- A new session: `id`, `user` (the name that came with the request, nil for none), `cache`.
function Sessions:open(user)
  self.opened = self.opened + 1
  if self.opened % SWEEP == 0 then self:sweep() end
  local session = { user = user, used = self.site.clock(), cache = { next = 0, items = {} } }
  repeat session.id = newId(self.site) until not self.byId[session.id]
  self.byId[session.id] = session
  return session
end

function Sessions:close(session)
  self.byId[session.id] = nil
end

function Sessions:isIdle(session)
  return self.timeout > 0 and (self.site.clock() - session.used) * 1000 > self.timeout
end

--- The live session of an id, which is in use from now on; nil when there is none.
function Sessions:find(id)
  local session = self.byId[id]
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
  self.byId = {}
end

--- How many are alive.
function Sessions:count()
  self:sweep()
  local n = 0
  for _ in pairs(self.byId) do n = n + 1 end
  return n
end

return { new = new }
