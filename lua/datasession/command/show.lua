--- Results on standard output: JSON in lines and colours, tables, CSV, JSON lines.

local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local terminal = require "datasession.command.terminal"
local utf8 = require("datasession.internal.lua").utf8

local show = {}

local COLOURS = { key = "blue", string = "green", number = "cyan", word = "yellow" }

-- The next token of a JSON text that is known to be valid: its kind, its text, and the place behind it.
local function token(text, at)
  at = text:find("%S", at)
  if not at then return nil end
  local first = text:sub(at, at)
  if first:find "[%[%]{},:]" then return "mark", first, at + 1 end
  if first == '"' then
    local last = at + 1
    while text:sub(last, last) ~= '"' do last = last + (text:sub(last, last) == "\\" and 2 or 1) end
    local kind = text:find("^%s*:", last + 1) and "key" or "string"
    return kind, text:sub(at, last), last + 1
  end
  local last = (text:find("[%[%]{},:%s]", at) or #text + 1) - 1
  return first:find "[%d-]" and "number" or "word", text:sub(at, last), last + 1
end

local CLOSING = { ["["] = "]", ["{"] = "}" }

--- A JSON text in lines, in the order of its members.
-- @param text string that is valid JSON
-- @param paint function (colour, text) or nil
function show.pretty(text, paint)
  local out, depth, at = {}, 0, 1
  local function line() out[#out + 1] = "\n" .. ("  "):rep(depth) end
  local kind, word, after = token(text, at)
  while kind do
    at = after
    if CLOSING[word] then
      local empty = text:match("^%s*()%" .. CLOSING[word], at)
      out[#out + 1] = empty and word .. CLOSING[word] or word
      if empty then at = empty + 1 else depth = depth + 1; line() end
    elseif word == "]" or word == "}" then
      depth = depth - 1
      line()
      out[#out + 1] = word
    elseif word == "," then
      out[#out + 1] = word
      line()
    elseif word == ":" then
      out[#out + 1] = ": "
    else
      out[#out + 1] = paint and paint(COLOURS[kind], word) or word
    end
    kind, word, after = token(text, at)
  end
  return table.concat(out)
end

--- Writes a body: JSON in lines and colours for a terminal, all else as it is.
function show.body(text, raw)
  if not raw and terminal.is(1) and codec.decode(text) ~= nil then
    text = show.pretty(text, terminal.paint)
  end
  io.stdout:write(text)
  if terminal.is(1) and text ~= "" and text:sub(-1) ~= "\n" then io.stdout:write "\n" end
end

local function isArray(value)
  return #value > 0 or getmetatable(value) == getmetatable(datasession.array {})
end

--- A value as JSON whose members are in alphabetical order, so that equal values give equal texts.
function show.encode(value)
  if type(value) ~= "table" then return (codec.encode(value):gsub("\\/", "/")) end
  local parts, names = {}, {}
  if isArray(value) then
    for i, one in ipairs(value) do parts[i] = show.encode(one) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = show.encode(name) .. ":" .. show.encode(value[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Writes a value as JSON: one line, or several for a terminal.
function show.json(value)
  local text = show.encode(value)
  io.stdout:write(terminal.is(1) and show.pretty(text, terminal.paint) or text, "\n")
end

local function textOf(value)
  if value == nil or value == datasession.null then return "" end
  if type(value) == "table" then return codec.encode(value) end
  return tostring(value)
end

local function quoted(value)
  local text = textOf(value)
  if text:find '[",\r\n]' then text = '"' .. text:gsub('"', '""') .. '"' end
  return text
end

--- A line of CSV (RFC 4180).
function show.csvLine(values, count)
  local cells = {}
  for i = 1, count do cells[i] = quoted(values[i]) end
  return table.concat(cells, ",") .. "\r\n"
end

local function widthsOf(names, rows)
  local widths, numbers = {}, {}
  for i, name in ipairs(names) do
    widths[i], numbers[i] = utf8.len(name) or #name, #rows > 0
    for _, row in ipairs(rows) do
      local text = textOf(row[i])
      widths[i] = math.max(widths[i], utf8.len(text) or #text)
      numbers[i] = numbers[i] and (type(row[i]) == "number" or row[i] == nil)
    end
  end
  return widths, numbers
end

-- The widest column gives way until the line fits. True if one did.
local function narrow(widths, most)
  local total = -2
  for _, width in ipairs(widths) do total = total + width + 2 end
  local fits = total <= most
  while total > most do
    local widest = 1
    for i, width in ipairs(widths) do
      if width > widths[widest] then widest = i end
    end
    if widths[widest] <= 4 then break end
    widths[widest], total = widths[widest] - 1, total - 1
  end
  return not fits
end

local function cell(value, width, right)
  local text = terminal.plain(textOf(value))
  local fitted = terminal.fit(text, width)
  if right and #text < width then return (" "):rep(width - #text) .. text end
  return fitted
end

--- A table in columns, as wide as the terminal at most.
-- @param names array of strings
-- @param rows array of arrays of values, as long as `names`
-- @return string, and true if values are shortened
function show.table(names, rows)
  local widths, numbers = widthsOf(names, rows)
  local shortened = terminal.is(1) and narrow(widths, terminal.width())
  local lines = {}
  local function add(values, paint)
    local cells = {}
    for i = 1, #names do cells[i] = cell(values[i], widths[i], numbers[i]) end
    local text = table.concat(cells, "  "):gsub("%s+$", "")
    lines[#lines + 1] = paint and terminal.paint(paint, text) or text
  end
  add(names, "bold")
  for _, row in ipairs(rows) do add(row) end
  return table.concat(lines, "\n") .. "\n", shortened
end

return show
