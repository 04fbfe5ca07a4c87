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

--- The message and the exit code for what a command raised.
function fail.describe(raised)
  if getmetatable(raised) == mt then return raised.message, fail.codes[raised.kind] end
  if type(raised) == "table" or type(raised) == "userdata" then -- an error object of the library
    local named, kind = pcall(function() return raised.kind end)
    return tostring(raised), fail.codes[KINDS[named and kind or ""] or "failed"]
  end
  local text = tostring(raised)
  if text:find("interrupted!", 1, true) then return "interrupted", fail.codes.interrupted end
  return text, fail.codes.failed
end

return fail
