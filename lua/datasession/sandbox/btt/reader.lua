--- Requests of the three formats, which the Content-Type tells apart, as messages:
--
-- - format: "form", "json" or "xml"
-- - fields: the protocol's own texts by name without "dse_"; a body's win over the query's
-- - data: what the operation is given: a table by name, in JSON and XML also a text or nil
-- - root, of XML alone: "requestMsg" or "xml_request"
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local xml = require "datasession.sandbox.btt.xml"

local reader = {}

local FORMATS = {
  ["application/x-www-form-urlencoded"] = "form", ["application/json"] = "json",
  ["text/xml"] = "xml", ["application/xml"] = "xml",
}

-- Fields whose names have no "dse_" of their own to be known by.
local PLAIN = {
  createSession = true, TID = true, sessionId = true, serverId = true,
  action = true, data_formatter = true, response_formatter = true,
}

--- The format of a request; nil when it is none of ours.
function reader.format(request)
  return FORMATS[ascii.lower(request.headers["content-type"] or ""):match("^%s*([^;%s]*)")]
end

-- A value without the blanks and double quotes that may stand around it.
local function strip(text)
  text = text:match("^%s*(.-)%s*$")
  return text:match('^"%s*(.-)%s*"$') or text
end

reader.strip = strip

local function setField(fields, name, value)
  local kind = type(value)
  if kind == "string" or kind == "boolean" or kind == "number" then
    fields[name:gsub("^dse_", "")] = strip(tostring(value))
  end
end

local readers = {}

function readers.form(message, body)
  message.data = {}
  for name, value in pairs(http.parseForm(body)) do
    if PLAIN[name] or name:find("^dse_") then
      setField(message.fields, name, value)
    else
      message.data[name] = value
    end
  end
  return true
end

function readers.json(message, body)
  local object = json.decode(body)
  if type(object) ~= "table" then return false end
  local inner = object.xml_request or object.json_request
  if type(inner) == "table" then object = inner end
  for name, value in pairs(object) do setField(message.fields, tostring(name), value) end
  message.data = object.data
  return true
end

local DATA = { requestMsg = "dse_formattedData", xml_request = "data" }

function readers.xml(message, body)
  local root = xml.parse(body)
  if not root or not DATA[root.name] then return false end
  message.root = root.name
  for _, element in ipairs(root) do
    if element.name == DATA[root.name] then
      message.data = xml.value(element)
    else
      setField(message.fields, element.name, element.text)
    end
  end
  return true
end

--- The message of a request, and whether it could be read. A GET has all that it says in its query.
function reader.read(request, format)
  local message = { format = format, root = "requestMsg", fields = {} }
  for name, value in pairs(request.query) do setField(message.fields, name, value) end
  return message, request.method == "GET" or readers[format](message, request.body)
end

return reader
