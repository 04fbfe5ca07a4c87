--- get, head, post, put, patch, delete.

local codec = require "datasession.internal.codec"
local connect = require "datasession.command.connect"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"

local request = {}

local function pairsOf(list, pattern, what)
  local found = {}
  for i, text in ipairs(list) do
    local name, value = text:match(pattern)
    if not name then
      fail.with("usage", ("%s: expected %s, got '%s'"):format(what.option, what.form, text))
    end
    found[i] = { name, value }
  end
  return found
end

local function bodyOf(data)
  if not data then return nil end
  local path = data:match "^@(.+)"
  if not path then return data end
  local file, message = path == "-" and io.stdin, nil
  if not file then file, message = io.open(path, "rb") end
  if not file then fail.with("usage", "--data: " .. message) end
  local text = file:read "a"
  if path ~= "-" then file:close() end
  return text
end

local function headersOf(args, body)
  local headers = {}
  for _, one in ipairs(pairsOf(args.header, "^([^:]+):%s*(.*)$",
    { option = "--header", form = "'name: value'" })) do headers[one[1]] = one[2] end
  local typed = false
  for name in pairs(headers) do typed = typed or name:lower() == "content-type" end
  if body and not typed and codec.decode(body) ~= nil then
    headers["Content-Type"] = "application/json; charset=utf-8"
  end
  return next(headers) and headers
end

-- A URI by itself is requested without a login, unless the command line says one.
local function open(args)
  local uri = connect.isUri(args.target)
  if uri and not args.service and not args.model and not args.user and args.session == "default" then
    local options = connect.transport(args)
    options.serviceURI = connect.originOf(args.target)
    return connect.new(options)
  end
  return connect.open(args)
end

local function describe(args, method)
  local body = bodyOf(args.data)
  local options = {
    method = method, body = body, headers = headersOf(args, body),
    query = #args.query > 0 and pairsOf(args.query, "^([^=]+)=(.*)$",
      { option = "--query", form = "name=value" }) or nil,
    saveTo = args.save, timeout = args.timeout,
  }
  options[connect.isUri(args.target) and "uri" or "path"] = args.target
  return options
end

local function writeHead(response)
  local names = {}
  for name in pairs(response.headers) do names[#names + 1] = name end
  table.sort(names)
  io.stdout:write(("%d %s\n"):format(response.status, response.uri))
  for _, name in ipairs(names) do io.stdout:write(name, ": ", response.headers[name], "\n") end
  io.stdout:write "\n"
end

local function send(args, method)
  local session = open(args)
  local described, promise = pcall(session.request, session, describe(args, method))
  if not described then fail.with("usage", (tostring(promise):gsub("^[^ ]+:%d+: ", ""))) end
  local response, err = promise:await()
  connect.finish(args, session)
  local shown = response or err.response
  if shown and args.timing then io.stderr:write(tostring(shown.timings), "\n") end
  if shown then
    if args.include or method == "HEAD" then writeHead(shown) end
    if not (response and args.save) and method ~= "HEAD" then show.body(shown.body, args.raw) end
  end
  if not response then error(err, 0) end
end

for _, method in ipairs { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" } do
  request[method:lower()] = function(args) return send(args, method) end
end

return request
