-- play.lua PICTURE: runs, at the terminal that asciinema records, the commands that a picture shows.
local datasession = require "datasession"
local sandbox = require "datasession.sandbox"

local DOCTOR = "datasession doctor %s --user lua --catalog static/CustomerService.json"
local WATCH = "datasession watch %s --interval .4 --count 20"
local SECONDS = 6 -- until the server of the second row stops

local server = sandbox.start { port = 8080 } or assert(sandbox.start())

local function show(line)
  io.stdout:write("\27[32m$\27[0m ", line, "\n")
  io.stdout:flush()
  os.execute("DATASESSION_PASSWORD=secret " .. line)
  datasession.sleep(2)
end

local function doctor() show(DOCTOR:format(server.uris.form)) end

-- The second server stops meanwhile.
local function watch(...)
  local pipe = assert(io.popen(("exec timeout %d datasession sandbox --json --port 8081"):format(SECONDS)))
  local origin = pipe:read("l"):match '"origin":"([^"]*)"'
  show(WATCH:format(table.concat({ server.uris.form, origin .. "/SportsBasic", ... }, " ")))
  pipe:close()
end

local PICTURES = {
  terminal = function()
    doctor()
    watch()
  end,
  watch = function() watch(server.origin .. "/Nothing") end,
}

io.stdout:write "\27[?25l" -- without a cursor
PICTURES[...]()
server:close()
