--- The terminal: whether there is one, its width, colours, and questions whose answer it hides.

local utf8 = require("datasession.internal.lua").utf8

local terminal = {}

-- The exit status of a command of the system; false where there is no such command.
local function succeeds(command) return os.execute(command .. " 2>/dev/null") == true end

local known = {}

--- @param descriptor 0: standard input, 1: standard output, 2: standard error
-- @return true if it is a terminal
function terminal.is(descriptor)
  if known[descriptor] == nil then known[descriptor] = succeeds("test -t " .. descriptor) end
  return known[descriptor]
end

local function commandLine(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe and pipe:read "l"
  if pipe then pipe:close() end
  return line
end

--- The columns of the terminal; 80 where it does not say.
function terminal.width()
  local columns = tonumber(os.getenv "COLUMNS")
  if columns and columns > 0 then return columns end
  local size = commandLine "stty size </dev/tty"
  columns = tonumber(size and size:match "^%d+ (%d+)$")
  return columns and columns > 0 and columns or 80
end

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34", cyan = "36" }

--- True if standard output takes colours. NO_COLOR (no-color.org) turns them off.
function terminal.hasColours()
  local off = os.getenv "NO_COLOR"
  return terminal.is(1) and (off == nil or off == "") and os.getenv "TERM" ~= "dumb"
end

--- The text in a colour, where standard output takes colours.
-- @param colour "bold", "dim", "red", "green", "yellow", "blue" or "cyan"
function terminal.paint(colour, text)
  if not terminal.hasColours() then return text end
  return "\27[" .. CODES[colour] .. "m" .. text .. "\27[0m"
end

-- A shell does it, since its traps show again what is typed whatever ends the question.
local ASK = [[trap 'stty echo </dev/tty' EXIT; trap 'exit 130' INT TERM HUP
  stty -echo </dev/tty && printf %%s %s >/dev/tty && IFS= read -r answer </dev/tty
  printf '\n' >/dev/tty; printf %%s "$answer"]]

--- Asks at the terminal, without showing the answer.
-- @return the answer; or nil and a message, without a terminal
function terminal.askHidden(question)
  local tty = io.open("/dev/tty", "r+")
  if not tty then return nil, "there is no terminal to ask at" end
  tty:close()
  local shell = io.popen(ASK:format("'" .. question:gsub("'", "'\\''") .. "'"))
  local answer = shell and shell:read "a"
  if shell then shell:close() end
  if not answer or answer == "" then return nil, "no answer was given" end
  return answer
end

local SPARKS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

--- A line of small bars, from 0 to the greatest of the values.
-- @param values array of numbers, or false for a gap
function terminal.spark(values)
  local greatest, bars = 0, {}
  for _, value in ipairs(values) do greatest = math.max(greatest, value or 0) end
  for i, value in ipairs(values) do
    local height = value and greatest > 0 and math.ceil(value / greatest * #SPARKS) or 1
    bars[i] = value and SPARKS[math.max(height, 1)] or "·"
  end
  return table.concat(bars)
end

--- The text in so many columns: padded by blanks, or shortened.
function terminal.fit(text, width)
  local length = utf8.len(text)
  if not length then text, length = text:gsub("[\128-\255]", "?"), #text end
  if length <= width then return text .. (" "):rep(width - length) end
  return text:sub(1, utf8.offset(text, width) - 1) .. "…"
end

--- The text without characters that steer a terminal: a server's words may hold some.
function terminal.plain(text) return (text:gsub("[%c\127]", " ")) end

return terminal
