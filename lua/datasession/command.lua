--- The command `datasession`: its arguments, and the module of datasession.command that runs each.

local math = require("datasession.internal.lua").math

local command = {}

local COMMANDS = {
  { name = "doctor", summary = "Look at a server step by step, and say what is wrong",
    example = "datasession doctor https://host/Sports --user lua" },
  { name = "login", summary = "Log in; the next commands go on with the session",
    example = "datasession login https://host/Sports --user lua --catalog static/CustomerService.json" },
  { name = "logout", summary = "Log out, and forget the session", example = "datasession logout" },
  { name = "sessions", summary = "List the sessions of login", example = "datasession sessions" },
  { name = "ping", summary = "Ask whether a server is available",
    example = "datasession ping https://host/Sports" },
  { name = "watch", summary = "Ping servers again and again, and show their states",
    example = "datasession watch https://host/Sports https://other/Sports" },
  { name = "get", summary = "Send GET", example = "datasession get /rest/CustomerService/Customer" },
  { name = "head", summary = "Send HEAD", example = "datasession head https://host/file" },
  { name = "post", summary = "Send POST", example = "datasession post /rest/Orders --data @order.json" },
  { name = "put", summary = "Send PUT", example = "datasession put /rest/Orders/7 --data '{\"paid\":true}'" },
  { name = "patch", summary = "Send PATCH", example = "datasession patch /rest/Orders/7 --data @part.json" },
  { name = "delete", summary = "Send DELETE", example = "datasession delete /rest/Orders/7" },
  { name = "read", summary = "Read the records of a resource",
    example = "datasession read Customer --filter \"State = 'MA'\" --sort Name --csv" },
  { name = "invoke", summary = "Call an operation (OpenEdge) or a method (DataSnap)",
    example = "datasession invoke Customer.RaiseCreditLimit custNum=1 amount=50" },
  { name = "tree", summary = "Show what a catalog has: services, resources, operations, fields",
    example = "datasession tree static/CustomerService.json --openapi" },
  { name = "sandbox", summary = "Start the test server and print its addresses",
    example = "datasession sandbox --port 8080" },
  { name = "version", summary = "Print the versions in use", example = "datasession version" },
}

local EPILOG = [[
Passwords and tokens come from the terminal, from --password-file, or from the environment's
DATASESSION_PASSWORD; never from an argument. Exit codes: 0 all went well, 1 it failed, 2 the command line is
wrong, 3 credentials are missing or refused, 4 the server cannot be reached or has no application at the URI,
5 the session has ended, 130 interrupted.]]

local function flag(to, names, text) to:flag(names):description(text) end

local function option(to, names, name, text)
  return to:option(names):argname("<" .. name .. ">"):description(text)
end

-- An option whose value is a number that `expected` describes and `holds`, or nil, tests.
local function number(to, names, name, text, expected, holds)
  return option(to, names, name, text):convert(function(given)
    local value = tonumber(given)
    if value and (not holds or holds(value)) then return value end
    return nil, ("%s: expected %s, got '%s'"):format(names, expected, given)
  end)
end

local function isCount(value) return math.type(value) == "integer" and value >= 1 end

local function isPort(value) return math.type(value) == "integer" and value >= 0 and value <= 65535 end

local function addTransport(to)
  option(to, "--ca-file", "file", "Trust these certificates (PEM) in place of the system's.")
  flag(to, "--insecure", "Accept any certificate.")
  option(to, "--client-certificate", "file", "Your certificate (PEM).")
  option(to, "--client-key", "file", "Its key (PEM).")
  option(to, "--client-key-password-file", "file",
    "The file's first line is the key's password; or set DATASESSION_KEY_PASSWORD.")
  option(to, "--proxy", "uri", "The proxy; none: no proxy, whatever the environment says.")
  option(to, "--timeout", "time", "Limit of each request, such as 30s.")
  option(to, "--connect-timeout", "time", "Limit for connecting.")
  flag(to, "--http1", "Use HTTP/1.1 alone.")
  option(to, "--trace", "file", "Write all that is sent and received to a file; -: standard error.")
  option(to, "--har", "file", "Write a HAR file, for browsers' tools.")
end

local function addCredentials(to)
  option(to, "--model", "model", "anonymous, basic, form or bearer. Default: what the server asks for.")
    :choices { "anonymous", "basic", "form", "bearer" }
  option(to, "--protocol", "protocol", "jsdo (the default) or datasnap."):choices { "jsdo", "datasnap" }
  option(to, "-u --user", "name", "The user's name.")
  option(to, "--password-file", "file", "Its first line is the password or token; -: standard input.")
end

local function addSession(to)
  option(to, "-s --session", "name", "The session of login to go on with."):default "default"
  option(to, "--service", "uri", "Log in here for this command alone, in place of a session of login.")
  addCredentials(to)
  addTransport(to)
end

local function addCatalogs(to, text)
  option(to, "--catalog", "uri", text or "Load this catalog; may be given again."):count "*":init {}
end

local function addJson(to) flag(to, "--json", "Write JSON.") end

local function addRequest(to, withBody)
  to:argument("target"):argname("<path or uri>")
    :description "A path below the session's service, or an absolute URI."
  option(to, "-q --query", "name=value", "Add a parameter to the URI; may be given again."):count "*":init {}
  option(to, "-H --header", "name: value", "Add a header line; may be given again."):count "*":init {}
  if withBody then
    option(to, "-d --data", "text", "The body; @file: that file's bytes. JSON gets its Content-Type.")
  end
  option(to, "--save", "file", "Write the body to a file.")
  flag(to, "-i --include", "Write the status and the headers first.")
  flag(to, "--raw", "Write the body as it came, also to a terminal.")
  flag(to, "--timing", "Show the times of each request on standard error.")
  addSession(to)
end

local define = {}

function define.doctor(to)
  to:argument("uri"):description "The web application, such as https://host/Sports."
  addCatalogs(to, "Load this catalog too; may be given again.")
  addCredentials(to)
  addTransport(to)
  addJson(to)
end

function define.login(to)
  to:argument("uri"):description "The web application, such as https://host/Sports."
  option(to, "-s --session", "name", "The name of the session."):default "default"
  addCatalogs(to, "The next commands load this catalog; may be given again.")
  flag(to, "--keep-token", "Store the token of a bearer session, too.")
  addCredentials(to)
  addTransport(to)
end

define.logout = addSession

function define.sessions(to) addJson(to) end

function define.ping(to)
  to:argument("uri"):args "?":description "The web application; without it, the session."
  addSession(to)
  addJson(to)
end

function define.watch(to)
  to:argument("uri"):args "+":description "The web applications."
  number(to, "--interval", "seconds", "Time between two pings.", "a number of seconds above 0",
    function(value) return value > 0 end):default "2"
  number(to, "--count", "n", "End after so many pings of each.", "a whole number of 1 or more", isCount)
  addTransport(to)
end

for _, name in ipairs { "get", "head", "delete" } do
  define[name] = function(to) addRequest(to, name == "delete") end
end
for _, name in ipairs { "post", "put", "patch" } do
  define[name] = function(to) addRequest(to, true) end
end

function define.read(to)
  to:argument("resource"):description "The resource, such as Customer."
  option(to, "--table", "name", "The table, of a resource with several.")
  option(to, "--filter", "text", "A filter in the server's language, or a JSON object: see docs/filters.md.")
  option(to, "--sort", "field", "Sort by Field or Field:desc; may be given again."):count "*":init {}
  number(to, "--top", "n", "So many records at most.", "a number")
  number(to, "--skip", "n", "Leave out so many first.", "a number")
  option(to, "--fields", "a,b,c", "These fields alone.")
  to:mutex(
    to:flag "--csv":description "Write CSV (RFC 4180).",
    to:flag "--jsonl":description "Write a JSON object in each line.",
    to:flag "--json":description "Write one JSON array.")
  addCatalogs(to)
  addSession(to)
end

function define.invoke(to)
  to:argument("operation"):description "Resource.Operation, or Class.Method of DataSnap."
  to:argument("values"):args "*":argname "<name=value>"
    :description "The parameters; for DataSnap the values alone, in order. JSON where it is valid JSON."
  option(to, "--verb", "verb", "The verb of a DataSnap method: GET (the default), PUT, POST or DELETE.")
  addCatalogs(to)
  addSession(to)
end

function define.tree(to)
  to:argument("file"):argname("<catalog>"):args "?"
    :description "A file or URI; without it, the catalogs of the session."
  to:mutex(
    to:flag "--markdown":description "Write Markdown.",
    to:flag "--html":description "Write one HTML file with a search field.",
    to:flag "--openapi":description "Write OpenAPI 3.1 as JSON.",
    to:flag "--json":description "Write JSON.")
  addCatalogs(to)
  addSession(to)
end

function define.sandbox(to)
  number(to, "--port", "n", "The port. Default: any free one.", "a port from 0 to 65535", isPort)
  flag(to, "--tls", "Serve https, with a certificate made now.")
  addJson(to)
end

function define.version(to) addJson(to) end

local MODULES = {
  logout = "sessions", sessions = "sessions", login = "sessions", ping = "ping", watch = "watch",
  get = "request", head = "request", post = "request", put = "request", patch = "request", delete = "request",
}

--- The parser of the command line. Raises without argparse.
function command.parser()
  local argparse = require "argparse"
  local parser = argparse("datasession", "Sessions with application servers, from the command line.", EPILOG)
  parser:command_target "command"
  parser:require_command(true)
  flag(parser, "--version", "Print the versions in use, and end.")
  for _, one in ipairs(COMMANDS) do
    local sub = parser:command(one.name, one.summary .. ".", "Example: " .. one.example)
    sub:summary(one.summary .. ".")
    define[one.name](sub)
  end
  parser:add_help_command()
  parser:add_complete_command "completion"
  return parser
end

local function run(args)
  local module = require("datasession.command." .. (MODULES[args.command] or args.command))
  local recording = require "datasession.command.recording"
  require("datasession.command.connect").readKeyPassword(args)
  recording.start(args)
  local ok, code = pcall(module[args.command], args)
  recording.finish()
  if not ok then error(code, 0) end
  return code or 0
end

-- The line under a message about the arguments: where the right ones stand.
local function adviceOn(arguments)
  for _, one in ipairs(arguments) do
    if one:find "^%-%-password$" or one:find "^%-%-password=" then
      return "Passwords are no arguments: use --password-file, the environment's DATASESSION_PASSWORD, or " ..
        "wait for the question."
    end
  end
  for _, one in ipairs(COMMANDS) do
    if one.name == arguments[1] then return "Try: datasession " .. one.name .. " --help" end
  end
  return "Try: datasession --help"
end

--- Runs the command.
-- @param arguments array of strings: those of the command line
-- @return the exit code
function command.main(arguments)
  local fail = require "datasession.command.fail"
  local found, parser = pcall(command.parser)
  if not found then
    io.stderr:write("datasession: the command needs argparse: luarocks install argparse, or apt install ",
      "lua-argparse\n")
    return fail.codes.usage
  end
  if arguments[1] == "--version" then arguments = { "version" } end
  local parsed, args = parser:pparse(arguments)
  if not parsed then
    io.stderr:write("datasession: ", args, "\n", adviceOn(arguments), "\n")
    return fail.codes.usage
  end
  local ok, code = pcall(run, args)
  if ok then
    io.stdout:flush()
    return code
  end
  local message
  message, code = fail.describe(code)
  io.stderr:write("datasession: ", message, "\n")
  return code
end

return command
