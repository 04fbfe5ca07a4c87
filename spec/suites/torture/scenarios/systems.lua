-- Keys, the active session, ends from outside, the log, limits.
local t = ...

local list = t.list()

local function form() return t.loggedIn "form" end

list:act("the active session", form, function(s)
  local d = t.datasession
  assert(d.setActiveSession(s) == s and d.setActiveSession(s.key) == s and d.activeSession() == s)
end)
list:once("stopSession", form, function(s)
  local ended
  return t.datasession.stopSession(s.key, 5,
    function(key) ended = key end):next(function() return ended or s end)
end)
list:act("endSession", form, function(s)
  assert(t.datasession.endSession(s))
  t.settle()
end)
list:once("stop", form, function(s) return s:stop(5) end)
list:add {
  name = "the log",
  prepare = function() return { session = t.session "form" } end,
  act = function(_, c)
    local notes = 0
    t.datasession.setLogger(function(note)
      notes = notes + 1
      assert(tostring(note))
    end)
    assert(c.session:login("lua", "secret"):await())
    t.server:expireSessions "form"
    c.session:ping():await()
    assert(c.session:logout():await())
    t.settle()
    assert(notes > 2)
    t.datasession.setLogger(nil)
  end,
  again = function() t.datasession.setLogger(nil) end,
}
list:add { name = "setLimits", act = function() t.datasession.setLimits { hostConnections = 64 } end }
list:add {
  name = "requests that wait for others",
  prepare = function() return { session = t.loggedIn "anonymous" } end,
  act = function(_, c)
    local limits = t.datasession.setLimits()
    t.datasession.setLimits { hostConnections = 1, idleHandles = 1 }
    local first, second, third = c.session:ping(), c.session:ping(), c.session:ping()
    t.datasession.setLimits(limits)
    assert(first:await() and second:await() and third:cancel() ~= nil)
  end,
  again = function(_, c)
    t.datasession.setLimits { hostConnections = 64, totalConnections = 0, idleHandles = 16 }
    assert(c.session:ping():await(t.LIMIT))
  end,
}

return list
