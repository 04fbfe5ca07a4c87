--- invoke.

local codec = require "datasession.internal.codec"
local connect = require "datasession.command.connect"
local datasession = require "datasession"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"

local invoke = {}

-- JSON where it is valid JSON, else the text itself.
local function valueOf(text)
  local value = codec.decode(text)
  if value == nil then return text end
  return value
end

local function invokeMethod(args, session, class, method)
  local values = {}
  for i, text in ipairs(args.values) do values[i] = valueOf(text) end
  return fail.unless(session:invoke(class, method, values, { verb = args.verb }):await())
end

local function invokeOperation(args, session, resource, operation)
  local values = {}
  for _, text in ipairs(args.values) do
    local name, value = text:match "^([^=]+)=(.*)$"
    if not name then fail.with("usage", ("invoke: expected name=value, got '%s'"):format(text)) end
    values[name] = valueOf(value)
  end
  local jsdo = datasession.JSDO { name = resource, session = session }
  local _, _, request = fail.unless(jsdo:invoke(operation, values):await())
  return request.response
end

function invoke.invoke(args)
  local owner, name = args.operation:match "^([^.]+)%.(.+)$"
  if not owner then
    fail.with("usage",
      ("invoke: expected Resource.Operation or Class.Method, got '%s'"):format(args.operation))
  end
  local session, profile = connect.open(args)
  if session.protocol == "jsdo" then connect.loadCatalogs(args, session, profile) end
  local call = session.protocol == "jsdo" and invokeOperation or invokeMethod
  local called, result = pcall(call, args, session, owner, name)
  connect.finish(args, session)
  if not called then
    if type(result) == "string" then fail.with("usage", (result:gsub("^[^ ]+:%d+: ", ""))) end
    error(result, 0)
  end
  show.body(codec.encode(result) .. "\n")
end

return invoke
