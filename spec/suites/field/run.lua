--- run.lua [--short] [CASE...]: the field suite. Starts nginx, Apache httpd, Tomcat, tinyproxy and
-- `openssl s_server`, each with a configuration of its own in a temporary directory, and tries at them what
-- sessions can do. Without names, all cases.
-- Exit status 0: none failed. The servers' logs are kept when something fails.
package.path = "spec/suites/?.lua;" .. package.path

local authority = dofile "spec/support/authority.lua"
local bodies = require "field.support.bodies"
local checks = require "field.support.checks"
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"
local socket = require "socket"

local CASES = {
  "verbs", "refused", "bodies", "many", "expiry", "named", "redirects", "connections", "secure", "proxies",
  "logins", "autoping", "restart", "evidence",
}

local function has(program)
  return program:find "^/" and io.open(program) or os.execute("command -v " .. program .. " >/dev/null")
end

local function server(name)
  return require("field.servers." .. name)
end

-- Those that this system lacks. With FIELD_REQUIRED none may be missing.
local function missing()
  local names = {}
  for _, name in ipairs { "nginx", "httpd", "tomcat", "tinyproxy", "openssl" } do
    if not has(server(name).program) then names[#names + 1] = name end
  end
  return names
end

local function prepare(directory, short)
  local ca = authority.new(directory, "authority")
  local step = short and 2500 or 500
  local around = {
    directory = directory, authority = ca, certificate = ca:issue("server", "DNS:localhost,IP:127.0.0.1"),
    isRoot = shell.run("id -u") == "0\n", sizes = bodies.sizes(step),
  }
  around.sizes[#around.sizes + 1] = 2000
  table.insert(around.sizes, 500)
  if around.isRoot then shell.run("chmod -R a+rX", directory) end
  return around
end

local function startAll(around)
  local field = { around = around, directory = around.directory, sizes = around.sizes }
  field.tomcat = server("tomcat").new(around)
  field.nginx = server("nginx").new(around, field.tomcat)
  field.httpd = server("httpd").new(around)
  field.servers = { field.nginx, field.httpd, field.tomcat }
  return field
end

local function runCases(field, names)
  for _, name in ipairs(names) do
    local begun = socket.gettime()
    local passed = checks.run(name, require("field.cases." .. name), field)
    print(("%-12s %5d passed in %.0f s"):format(name, passed, socket.gettime() - begun))
  end
end

local function stopAll(field)
  for _, one in ipairs(field.servers or {}) do one:stop() end
end

local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

local short, names = false, {}
for _, word in ipairs(arg) do
  if word == "--short" then short = true else names[#names + 1] = word end
end

local absent = missing()
if #absent > 0 then
  print("field: skipped, for want of " .. table.concat(absent, ", "))
  os.exit(os.getenv "FIELD_REQUIRED" == nil)
end

io.stdout:setvbuf "line"
local directory = files.directory()
local around = prepare(directory, short)
local field
checks.run("servers", function() field = startAll(around) end)
if field then
  field.short, field.lua = short, interpreter()
  runCases(field, #names > 0 and names or CASES)
  stopAll(field)
end
if checks.failed > 0 then print("the servers' logs: " .. directory) else files.removeDirectory(directory) end
print(("%d passed, %d failed"):format(checks.passed, checks.failed))
os.exit(checks.failed == 0, true)
