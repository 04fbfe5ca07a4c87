--- A bar on the terminal for the option `onProgress` of requests.

local core = require "datasession.core"
local raise = require "datasession.internal.raise"

local format, rep = string.format, string.rep

local progress = {}

local WIDTH = 30 -- columns of the bar
local MEGA = 1000000

-- Not by %f, whose point depends on the locale.
local function megabytes(bytes)
  return format("%d.%d", math.floor(bytes / MEGA), math.floor(bytes % MEGA / 100000))
end

local function textOf(label, bytes, total)
  if not total then return format("%s%s MB", label, megabytes(bytes)) end
  local part = total > 0 and math.min(bytes / total, 1) or 1
  local full = math.floor(part * WIDTH)
  return format("%s[%s%s] %3d %%  %s of %s MB", label, rep("#", full), rep("-", WIDTH - full),
    math.floor(part * 100), megabytes(bytes), megabytes(total))
end

--- A function for `onProgress` that draws a line on standard error again and again: the body that moves, the
-- request's, then the response's. The cursor stays at the line's beginning, so other output replaces it.
-- @param label nil or string, written before the bar
-- @return function; it does nothing where standard error is no terminal
function progress.bar(label)
  if label ~= nil and type(label) ~= "string" then
    raise("progressBar: expected a label that is a string, got " .. type(label), 2)
  end
  if not core.isTerminal() then return function() end end
  label = label and label .. " " or ""
  local last
  return function(sent, toSend, received, toReceive)
    local down = received > 0 or toSend == 0
    local bytes, total = down and received or sent, down and toReceive or not down and toSend or nil
    local text = textOf(label, bytes, total)
    if text == last then return end
    last = text
    io.stderr:write("\r", text, "\27[K", down and bytes == total and "\n" or "\r")
  end
end

return progress
