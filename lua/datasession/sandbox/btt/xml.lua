--- As much XML as the messages need: elements and text; attributes, namespaces and DTDs mean nothing.
--
-- An element is a table: `name`, `text`, and its child elements as a list.
local json = require "datasession.sandbox.json"
local locale = require "datasession.internal.locale"
local utf8 = require("datasession.internal.lua").utf8

local xml = {}

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'" }
local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

--- Text as it may stand in an element, and with its double quotes escaped too, as HTML's attributes need it.
function xml.escape(text)
  return (text:gsub("[&<>]", ESCAPES))
end

function xml.escapeAttribute(text)
  return (text:gsub('[&<>"]', ESCAPES))
end

local function unescape(text)
  return (text:gsub("&(#?x?)(%w+);", function(mark, name)
    if mark == "" then return ENTITIES[name] end
    local code = tonumber(name, mark == "#x" and 16 or 10)
    return mark ~= "x" and code and code <= 0x10FFFF and utf8.char(code) or nil
  end))
end

-- Parts without data: comments, instructions, the document type.
local SKIPPED = { "^<!%-%-.-%-%->()", "^<%?.-%?>()", "^<!DOCTYPE[^>%[]*%b[]%s*>()", "^<!DOCTYPE[^>%[]*>()" }

local function skip(text, at)
  for _, pattern in ipairs(SKIPPED) do
    local next = text:match(pattern, at)
    if next then return next end
  end
end

-- Reads what begins with the "<" at a position; `stack` holds the open elements. Returns the position
-- after it, nil when it is no XML.
local function readMarkup(text, at, stack)
  local top = stack[#stack]
  local skipped = skip(text, at)
  if skipped then return skipped end
  local data, afterData = text:match("^<!%[CDATA%[(.-)%]%]>()", at)
  if data then
    top.text = top.text .. data
    return afterData
  end
  local closed, afterClosed = text:match("^</([^%s/>]+)%s*>()", at)
  if closed then
    if #stack == 1 or closed ~= top.name then return nil end
    stack[#stack] = nil
    return afterClosed
  end
  local name, rest, after = text:match("^<([%a_][^%s/>]*)([^<>]*)>()", at)
  if not name then return nil end
  local element = { name = name, text = "" }
  top[#top + 1] = element
  if rest:sub(-1) ~= "/" then stack[#stack + 1] = element end
  return after
end

--- The root element of a document; nil when it is not well-formed.
function xml.parse(text)
  local document = { text = "" }
  local stack, at = { document }, 1
  while at do
    local from = text:find("<", at, true)
    local top = stack[#stack]
    top.text = top.text .. unescape(text:sub(at, (from or #text + 1) - 1))
    if not from then break end
    at = readMarkup(text, from, stack)
  end
  if not at or #stack ~= 1 or #document ~= 1 or document.text:find("[^%s\xEF\xBB\xBF]") then return nil end
  return document[1]
end

--- The content of an element: its text, or when it has child elements, what they hold by name: a list where
-- a name occurs more than once.
function xml.value(element)
  if #element == 0 then return element.text end
  local values, counts = {}, {}
  for _, child in ipairs(element) do
    local name, value = child.name, xml.value(child)
    counts[name] = (counts[name] or 0) + 1
    if counts[name] == 2 then values[name] = json.list { values[name] } end
    if counts[name] > 1 then table.insert(values[name], value) else values[name] = value end
  end
  return values
end

local encode

local function encodeMembers(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names, locale.before)
  for i, name in ipairs(names) do parts[i] = encode(name, object[name]) end
  return table.concat(parts)
end

function encode(name, value)
  if type(value) == "table" and value[1] ~= nil then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = encode(name, item) end
    return table.concat(parts)
  end
  local content = type(value) == "table" and encodeMembers(value) or xml.escape(locale.text(value))
  return ("<%s>%s</%s>"):format(name, content, name)
end

--- The opposite of `value`: an element, or one for each item of a list.
xml.encode = encode

return xml
