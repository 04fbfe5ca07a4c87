--- How a command ends otherwise than well: the exit codes, and errors that carry one.

local fail = {}

-- They are documented in docs/command.md.
fail.codes = { failed = 1, usage = 2, credentials = 3, unreachable = 4, expired = 5, interrupted = 130 }

local KINDS = {
  auth = "credentials", expired = "expired",
  timeout = "unreachable", stall = "unreachable", dns = "unreachable", connect = "unreachable",
  tls = "unreachable", proxy = "unreachable", offline = "unreachable",
}

local mt = { __name = "datasession.command.fail", __tostring = function(self) return self.message end }

--- Ends the command.
-- @param kind a name in `fail.codes`
-- @param message one line for standard error
function fail.with(kind, message) error(setmetatable({ kind = kind, message = message }, mt), 0) end

--- The result of a promise's await; ends the command if it was rejected.
function fail.unless(value, ...)
  if value then return value, ... end
  error((...), 0)
end

-- Hints name options and methods of the library: the command line has others.
local PHRASES = {
  { "caFile or caPath", "--ca-file" },
  { "check the proxy option, or pass proxy = false to go without",
    "check --proxy, or pass --proxy none to go without" },
  { "pass proxy = false to go without", "pass --proxy none to go without" },
  { "call login again", "run datasession login again" },
  { "call login first", "log in: datasession login URI, or --service URI with --user NAME" },
}
local FLAGS = {
  caFile = "--ca-file", clientCertificate = "--client-certificate", clientKey = "--client-key",
  clientKeyPassword = "--client-key-password-file",
}

--- The hint of an error object in the words of the command line; nil: it has none.
function fail.hint(err)
  local hint = err.hint
  if not hint then return nil end
  for _, pair in ipairs(PHRASES) do
    local first, last = hint:find(pair[1], 1, true)
    if first then hint = hint:sub(1, first - 1) .. pair[2] .. hint:sub(last + 1) end
  end
  return (hint:gsub("%a+", FLAGS))
end

-- The error's own text, which ends in its hint.
local function textOf(err)
  local text, hint = tostring(err), err.hint
  local first, last = text:find(hint or "", 1, true)
  if not hint or not first then return text end
  return text:sub(1, first - 1) .. fail.hint(err) .. text:sub(last + 1)
end

--- The message and the exit code for what a command raised.
function fail.describe(raised)
  if getmetatable(raised) == mt then return raised.message, fail.codes[raised.kind] end
  if type(raised) == "table" or type(raised) == "userdata" then -- an error object of the library
    local named, kind = pcall(function() return raised.kind end)
    return named and textOf(raised) or tostring(raised), fail.codes[KINDS[named and kind or ""] or "failed"]
  end
  local text = tostring(raised)
  if text:find("interrupted!", 1, true) then return "interrupted", fail.codes.interrupted end
  return text, fail.codes.failed
end

return fail
