--- measure(name, times, run): prints the name, milliseconds of CPU time of one of so many runs, and the peak
-- of the process's memory until then in KB. Garbage is collected first, so that each run pays for its own.
local peak = require "peak"

return function(name, times, run)
  collectgarbage()
  collectgarbage()
  local start = os.clock()
  for _ = 1, times do
    run()
  end
  local ms = (os.clock() - start) * 1e3 / times
  print(("%s %.4f %s"):format(name, ms, peak()))
end
