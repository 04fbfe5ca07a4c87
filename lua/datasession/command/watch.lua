--- watch.

local connect = require "datasession.command.connect"
local datasession = require "datasession"
local detect = require "datasession.command.detect"
local fail = require "datasession.command.fail"
local terminal = require "datasession.command.terminal"

local watch = {}

local KEPT = 30 -- pings in the line of bars

local function newRow(args, uri)
  local session = connect.new(connect.options(args, connect.checkUri(uri, "watch")))
  return { uri = uri, session = session, times = {}, reason = "" }
end

local function note(row, state, reason, seconds)
  row.changed = row.changed or row.state ~= state
  if row.state ~= state then row.since = os.time() end
  row.state, row.reason, row.seconds = state, reason, seconds
  table.insert(row.times, seconds or false)
  if #row.times > KEPT then table.remove(row.times, 1) end
end

local function ping(row)
  local state, reason, seconds = detect.ping(row.session)
  if state == "absent" then reason = "no application is there: " .. reason end
  note(row, state, reason, seconds)
end

local COLOURS = { up = "green", down = "red", absent = "yellow" }

local function line(row, width)
  local time = row.seconds and ("%.1f ms"):format(row.seconds * 1000) or "-"
  local since = row.since and os.date("%H:%M:%S", row.since) or "-"
  local text = table.concat({
    terminal.fit(row.uri, 36), terminal.paint(COLOURS[row.state], terminal.fit(row.state, 6)),
    (" "):rep(10 - #time) .. time, terminal.fit(terminal.spark(row.times), KEPT), since,
  }, " ")
  local left = width - 36 - 6 - 10 - KEPT - 8 - 5
  if row.reason == "" or left <= 8 then return text end
  return text .. " " .. terminal.fit(terminal.plain(row.reason), left)
end

local function draw(rows, again)
  local width = terminal.width()
  if again then io.stdout:write(("\27[%dA"):format(#rows + 1)) end
  io.stdout:write("\27[K", terminal.paint("bold", terminal.fit("server", 36) .. " state  round trip " ..
    terminal.fit("", KEPT) .. " since"), "\n")
  for _, row in ipairs(rows) do io.stdout:write("\27[K", line(row, width), "\n") end
  io.stdout:flush()
end

-- Where there is no terminal: a line for each change.
local function report(row)
  if not row.changed then return end
  row.changed = false
  io.stdout:write(os.date "!%Y-%m-%dT%H:%M:%SZ", " ", row.uri, " ", row.state,
    row.reason ~= "" and " " .. terminal.plain(row.reason) or "", "\n")
  io.stdout:flush()
end

function watch.watch(args)
  local rows, live = {}, terminal.is(1)
  for i, uri in ipairs(args.uri) do rows[i] = newRow(args, uri) end
  local round = 0
  while not args.count or round < args.count do
    if round > 0 then datasession.sleep(args.interval) end
    round = round + 1
    fail.unless(datasession.map(rows, ping, { limit = 16 }):await())
    if live then draw(rows, round > 1) else for _, row in ipairs(rows) do report(row) end end
  end
  for _, row in ipairs(rows) do
    if row.state ~= "up" then return fail.codes.unreachable end
  end
end

return watch
