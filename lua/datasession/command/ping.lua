--- ping.

local connect = require "datasession.command.connect"
local detect = require "datasession.command.detect"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"

local ping = {}

local function pingServer(args)
  local options = connect.transport(args)
  options.serviceURI = connect.checkUri(args.uri, "ping")
  local session = connect.new(options)
  local up, reason, seconds = detect.isUp(session)
  if not up then fail.with("unreachable", ("%s is down: %s"):format(session.serviceURI, reason)) end
  return session, seconds, reason
end

local function pingSession(args)
  local session = connect.open(args)
  local _, _, info = fail.unless(session:ping():await())
  connect.finish(args, session)
  return session, info.xhr and info.xhr.timing.total, ""
end

function ping.ping(args)
  local session, seconds, reason = (args.uri and pingServer or pingSession)(args)
  if args.json then return show.json { serviceURI = session.serviceURI, up = true, seconds = seconds } end
  local time = seconds and (" (%.1f ms)"):format(seconds * 1000) or ""
  local more = reason ~= "" and "; it " .. reason or ""
  io.stdout:write(("%s is up%s%s\n"):format(session.serviceURI, time, more))
end

return ping
