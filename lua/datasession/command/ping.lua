--- ping.

local connect = require "datasession.command.connect"
local detect = require "datasession.command.detect"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"

local ping = {}

local function writeJson(session, state, seconds)
  show.json { serviceURI = session.serviceURI, up = state == "up", state = state, seconds = seconds }
end

local function pingServer(args)
  local session = connect.new(connect.options(args, connect.checkUri(args.uri, "ping")))
  local state, reason, seconds, err = detect.ping(session)
  if state == "up" then return session, seconds, reason end
  if args.json then writeJson(session, state, seconds) end
  if state == "absent" then
    fail.with("unreachable", ("%s: the server is up, but no application is there: %s"):format(
      session.serviceURI, reason))
  end
  local hint = fail.hint(err)
  fail.with("unreachable", ("%s is down: %s%s"):format(session.serviceURI, reason,
    hint and " (" .. hint .. ")" or ""))
end

local function pingSession(args)
  local session = connect.open(args)
  local _, _, info = fail.unless(session:ping():await())
  connect.finish(args, session)
  return session, info.xhr and info.xhr.timing.total, ""
end

function ping.ping(args)
  local session, seconds, reason = (args.uri and pingServer or pingSession)(args)
  if args.json then return writeJson(session, "up", seconds) end
  local time = seconds and (" (%.1f ms)"):format(seconds * 1000) or ""
  local more = reason ~= "" and "; it " .. reason or ""
  io.stdout:write(("%s is up%s%s\n"):format(session.serviceURI, time, more))
end

return ping
