--- tree: catalogs as a tree, Markdown, HTML, OpenAPI or JSON.

local catalog = require "datasession.catalog"
local connect = require "datasession.command.connect"
local fail = require "datasession.command.fail"
local profiles = require "datasession.command.profiles"
local closing = require("datasession.internal.lua").closing

local tree = {}

local function exists(path)
  local file = io.open(path, "r")
  if file then file:close() end
  return file ~= nil
end

-- A catalog in a file, or one that the web requires no login for.
local function fromText(text, uri, serviceURI)
  local parsed, message = catalog.parse(text, { uri = uri, serviceURI = serviceURI })
  if not parsed then fail.with("failed", uri .. ": " .. message) end
  return { parsed }
end

local function fetch(args, uri)
  local origin = connect.originOf(uri)
  local session = connect.new(connect.options(args, origin))
  local response = closing(session, function()
    return fail.unless(session:request { uri = uri }:await())
  end)
  return fromText(response.body, uri, uri:match "^(.*)/static/[^/]*$" or origin)
end

local function load(args)
  if args.file and exists(args.file) then
    local text, message = catalog.read(args.file)
    if not text then fail.with("failed", message) end
    return fromText(text, args.file)
  end
  if args.file and connect.isUri(args.file) and not args.service and not args.user then
    return fetch(args, args.file)
  end
  if args.file then
    if not args.service and not profiles.get(args.session) then
      fail.with("usage", ("tree: there is no file '%s', and no session '%s' to ask for it")
        :format(args.file, args.session))
    end
    args.catalog = { args.file }
  end
  local session, profile = connect.open(args)
  connect.loadCatalogs(args, session, profile)
  local catalogs = session.catalogs
  connect.finish(args, session)
  return catalogs
end

function tree.tree(args)
  local form = args.markdown and "markdown" or args.html and "html" or args.openapi and "openapi" or
    args.json and "json" or "text"
  io.stdout:write(require("datasession.command.tree." .. form)(load(args)))
end

return tree
