--- The options --trace and --har: what is sent and received goes to files. Only one trace runs at a time, so
-- a command that reads the trace itself does it here.

local datasession = require "datasession"
local fail = require "datasession.command.fail"

local recording = {}

local sink -- function (line) or nil: where --trace writes
local file
local har

local function open(path)
  if path == "-" then return function(line) io.stderr:write(line, "\n") end end
  local made, message = datasession.trace(path) -- makes a file that others cannot read
  if not made then fail.with("usage", "--trace: " .. tostring(message)) end
  datasession.trace(nil)
  file = fail.unless(io.open(path, "a"))
  return function(line) file:write(line, "\n") end
end

--- Begins what the arguments ask for.
function recording.start(args)
  if args.trace then
    sink = open(args.trace)
    datasession.trace(sink)
  end
  if not args.har then return end
  local made, message = datasession.har(args.har)
  if not made then
    recording.finish()
    fail.with("usage", "--har: " .. tostring(message))
  end
  har = made
end

--- Calls f; meanwhile onLine gets each line of the trace.
function recording.listen(f, onLine)
  datasession.trace(function(line)
    onLine(line)
    if sink then sink(line) end
  end)
  local ok, raised = pcall(f)
  datasession.trace(sink)
  if not ok then error(raised, 0) end
end

--- Ends it, and closes the files.
function recording.finish()
  if sink then datasession.trace(nil) end
  if file then file:close() end
  if har then har:close() end
  sink, file, har = nil, nil, nil
end

return recording
