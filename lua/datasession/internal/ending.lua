--- Ending a session from outside, by its key: on request, or at once.
local core = require "datasession.core"
local raise = require "datasession.internal.raise"
local math = require("datasession.internal.lua").math

local ending = {}

-- The live session for a key or a session; for nil the active session. nil: there is none.
local function find(call, key, level)
  if key == nil then
    return core.activeSession()
  end
  local found, session = pcall(core.sessionOf, key)
  if not found then
    raise(("%s: expected a session or its key, got %s"):format(call, type(key)), level + 1)
  end
  return session
end

local function checkFunction(name, value, level)
  if value ~= nil and type(value) ~= "function" then
    raise(("stopSession: %s: expected a function or nil, got %s"):format(name, type(value)), level + 1)
  end
end

local function checkTimeout(timeout, level)
  if math.type(timeout) == nil or timeout < 0 or timeout >= 1e9 then
    raise("stopSession: timeout: expected a number of seconds, 0 or more, got " .. tostring(timeout),
      level + 1)
  end
end

--- Asks the server to end a session, and waits for its answer. If the server refuses or times out, the
-- session stays.
-- @param key a session or its key; nil: the active session
-- @param timeout seconds for the server to answer; 0: what it answers at once is what counts
-- @param onSuccess called with (key) when the session has ended; or nil
-- @param onFailure called with (key, reason, err) when it has not; reason is "timeout", "refused" or "error";
--   or nil. One of the two is called, once
-- @return a promise of (session, SUCCESS, info), rejected with the error; raises when no live session has
--   that key
function ending.stopSession(key, timeout, onSuccess, onFailure)
  local session = find("stopSession", key, 2)
  if not session then
    raise("stopSession: " .. (key == nil and "there is no active session" or "no live session has that key"),
      2)
  end
  checkTimeout(timeout, 2)
  checkFunction("onSuccess", onSuccess, 2)
  checkFunction("onFailure", onFailure, 2)
  local name = session.key
  local promise = session:stop(timeout)
  if onSuccess then
    promise:done(function() onSuccess(name) end)
  end
  if onFailure then
    promise:fail(function(_, _, info) onFailure(name, ending.reason(info.errorObject), info.errorObject) end)
  end
  return promise
end

local REASONS = { timeout = "timeout", stall = "timeout", refused = "refused" }

--- The reason why a session was not stopped: "timeout", "refused" or "error".
function ending.reason(err)
  return type(err) == "table" and REASONS[err.kind] or "error"
end

--- Ends a session at once: it has ended when the call returns. The request to its server is sent in the
-- background, for at most two seconds.
-- @param key a session or its key; nil: the active session
-- @return true; false when there is no such session, or it has ended already
function ending.endSession(key)
  local session = find("endSession", key, 2)
  if not session then
    return false
  end
  core.endSession(session)
  return true
end

return ending
