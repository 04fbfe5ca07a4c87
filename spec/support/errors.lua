--- Checks each error that `await` gives a spec against what docs/errors.md says of all errors.
require "datasession"

local registry = debug.getregistry()
local methods = registry["datasession.promise"].__index
if rawget(methods, "spec.errors") then return methods["spec.errors"] end -- busted forgets modules, not these

local errors = {}

local function set(names)
  local members = {}
  for name in names:gmatch "[%w]+" do members[name] = true end
  return members
end

local KINDS = set [[timeout stall dns connect tls proxy auth expired offline refused http server protocol
  catalog cancelled closed file memory error]]
local FAILED = set "timeout stall dns connect proxy memory" -- the exchange failed, and may succeed next time
local LASTING = set "tls expired refused server catalog cancelled closed file error"
local ENDING = set "logout invalidate invalidateAllSessions" -- the session has ended when they fail
local SYSTEMS = set "jsdo datasnap btt proiv" -- a protocol of a spec may give any result, and any retryable
local PASSING = { [429] = true, [502] = true, [503] = true, [504] = true }
local OF_RESULT = {
  [0] = set "auth", [2] = set "auth expired http catalog", [6] = set "auth expired", [3] = KINDS,
}

local function isInteger(value) return type(value) == "number" and value % 1 == 0 end

local function isLine(text)
  return type(text) == "string" and text:find "^%S" and not text:find "[\1-\31\127]"
end

local function isRetryable(err, verb, system) -- nil: not for all
  local kind, status = err.kind, err.httpStatus
  if LASTING[kind] or ENDING[verb] then return false end
  if FAILED[kind] and not status and system ~= "proiv" and verb ~= "channel" then return true end
  if kind == "auth" and status ~= 401 and not err.message:find "token" then return false end
  if kind == "protocol" and verb ~= "ping" then return false end
  if not SYSTEMS[system] or not status then return nil end
  if kind == "offline" and system == "jsdo" or kind == "http" and PASSING[status] then return true end
  if kind ~= "http" then return nil end
  if verb == "ping" then return system == "jsdo" or nil end
  if status < 500 and verb ~= "isAuthorized" then return false end
end

local function isResult(err, verb, system)
  local result, kind, status = err.result, err.kind, err.httpStatus
  if verb == "ping" and status then return result == false end
  if result == false then return verb == "ping" end
  if not isInteger(result) or not OF_RESULT[result] then return false end
  if not SYSTEMS[system] then return true end
  if status == 401 and kind == "auth" or kind == "expired" and system == "jsdo" then return result ~= 3 end
  return OF_RESULT[result][kind] and (result ~= 2 or kind ~= "http" or status == 401)
end

local function check(promise, err)
  if promise:state() ~= "rejected" or getmetatable(err) ~= registry["datasession.error"] then return end
  local message, hint, status, uri = err.message, err.hint, err.httpStatus, err.uri
  local system = type(err.session) == "userdata" and err.session.protocol
  local call = tostring(promise):match ": (%w+),"
  local verb = call or tostring(message):match "^(%w+): "
  local function expect(condition, field)
    if not condition then error(("spec/support/errors.lua: %s: %s\n%s"):format(call, field, err), 0) end
  end
  expect(KINDS[err.kind], "kind")
  expect(isLine(message), "message")
  expect(not call or err.kind == "error" or message:find("^" .. call .. ": "), "the call in the message")
  expect(hint == nil or isLine(hint) and not hint:find "[%s.,:;]$", "hint")
  expect(tostring(err) == message .. (hint and " (" .. hint .. ")" or ""), "tostring")
  expect(type(err.retryable) == "boolean", "retryable")
  local retryable = isRetryable(err, verb, system)
  expect(retryable == nil or retryable == err.retryable, "retryable")
  expect(isResult(err, verb, system), "result")
  expect(status == nil or isInteger(status) and status >= 100 and status <= 599, "httpStatus")
  expect(uri == nil or uri:find "^%a+://[^?#@]*$", "uri")
  local told = message:match "^%w+: HTTP (%d+) from "
  expect(told == nil or tostring(status) == told, "httpStatus in the message")
  if status and SYSTEMS[system] and call and set("auth expired http offline server")[err.kind] then
    expect(message:find(("%s: HTTP %d from %s: "):format(call, status, uri), 1, true), "uri in the message")
  end
  expect(not call or type(err.info) == "table" and rawequal(err.info.errorObject, err), "info")
  expect(err.attempts == nil or isInteger(err.attempts) and err.attempts > 0, "attempts")
  expect(err.traceback == nil or err.kind == "error" and type(err.traceback) == "string", "traceback")
end

local await = methods.await

local function checked(promise, value, err, ...)
  if value == nil and type(err) == "table" then check(promise, err) end
  return value, err, ...
end

local function checkedAwait(...)
  return checked((...), await(...))
end

--- Calls f() while await is the library's own.
function errors.unchecked(f)
  methods.await = await
  local ok, err = pcall(f)
  methods.await = checkedAwait
  if not ok then error(err, 0) end
end

methods.await, methods["spec.errors"] = checkedAwait, errors

return errors
