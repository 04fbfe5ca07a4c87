--- Reads a HAR 1.2 file (HTTP Archive): the exchanges that a browser or another client has recorded.
--
-- An exchange: `method`, `uri` (path and query), `type` (the request's content type), `body` (nil: the file
-- does not tell it), `status`, `headers` (a flat list) and `answer` (the response's body).
local ascii = require "datasession.internal.ascii"
local base64 = require "datasession.internal.base64"
local check = require "datasession.sandbox.check"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local percent = require "datasession.internal.percent"
local math = require("datasession.internal.lua").math

local har = {}

-- Headers of the transfer that was, which the server sets itself.
local DROPPED = {
  ["content-length"] = true, ["content-encoding"] = true, ["transfer-encoding"] = true, connection = true,
  ["keep-alive"] = true, trailer = true, upgrade = true, date = true, ["alt-svc"] = true,
  ["strict-transport-security"] = true,
}

local function need(value, wanted, place)
  if type(value) ~= wanted then
    error({ ("%s: %s expected, got %s"):format(place, wanted, value == nil and "nothing" or type(value)) })
  end
  return value
end

local function member(object, name)
  local value = type(object) == "table" and object[name]
  return value ~= json.null and value or nil
end

-- The text of postData or of a response's content.
local function text(content)
  local value = member(content, "text")
  local encoding = member(content, "encoding") or member(content, "_encoding")
  if type(value) == "string" and encoding == "base64" then return base64.decode((value:gsub("%s", ""))) end
  return type(value) == "string" and value or nil
end

local function escape(value)
  return percent.encode(tostring(value), percent.UNRESERVED)
end

-- The body of a form of which the file has the fields alone.
local function form(parameters)
  local pairs_ = {}
  for i, one in ipairs(parameters) do
    pairs_[i] = escape(member(one, "name") or "") .. "=" .. escape(member(one, "value") or "")
  end
  return table.concat(pairs_, "&")
end

local function bodyOf(request)
  local data = member(request, "postData")
  if not data then
    return (tonumber(member(request, "bodySize")) or 0) <= 0 and "" or nil
  end
  local parameters = member(data, "params")
  local body = text(data)
  local hasFields = type(parameters) == "table" and parameters[1] ~= nil
  return (body == nil or body == "") and hasFields and form(parameters) or body
end

local function originOf(url)
  return url:match "^%a[%w+.-]*://[^/?#]*"
end

-- A header's value for the sandbox: no recorded origin, no cookie for that host or for https alone.
local function localValue(name, value, origin)
  if name == "set-cookie" then
    local anywhere = value:gsub(";%s*[Dd][Oo][Mm][Aa][Ii][Nn]=[^;]*", "")
    return (anywhere:gsub(";%s*[Ss][Ee][Cc][Uu][Rr][Ee]%s*%f[;%z]", ""))
  end
  if (name == "location" or name == "content-location") and origin == originOf(value) then
    local rest = value:sub(#origin + 1)
    return rest:find "^/" and rest or "/" .. rest
  end
  return value
end

local function headersOf(list, origin)
  local flat = {}
  for _, one in ipairs(type(list) == "table" and list or {}) do
    local name, values = member(one, "name"), member(one, "value")
    local known = type(name) == "string" and type(values) == "string" and not DROPPED[ascii.lower(name)]
    for line in (known and values or ""):gmatch "[^\n]+" do -- browsers write several cookies as lines of one
      local value = localValue(ascii.lower(name), line, origin)
      if check.headerLines { [name] = value } then flat[#flat + 1], flat[#flat + 2] = name, value end
    end
  end
  return flat
end

-- Browsers write 0 for a request that got no response.
local function statusOf(response, place)
  local status = need(member(response, "status"), "number", place)
  local whole = math.tointeger(status)
  if whole and (whole == 0 or whole >= 100 and whole <= 599) then return whole end
  error({ ("%s: a number from 100 to 599 expected, or 0, got %s"):format(place, status) })
end

local function exchangeOf(entry, place)
  local request = need(member(entry, "request"), "table", place .. ".request")
  local response = need(member(entry, "response"), "table", place .. ".response")
  local url = need(member(request, "url"), "string", place .. ".request.url")
  local origin = originOf(url)
  return {
    method = ascii.upper(need(member(request, "method"), "string", place .. ".request.method")),
    uri = http.target(url), type = member(member(request, "postData"), "mimeType"), body = bodyOf(request),
    status = statusOf(response, place .. ".response.status"),
    headers = headersOf(member(response, "headers"), origin),
    answer = text(member(response, "content")) or "",
  }
end

local function exchangesOf(document)
  local log = need(member(document, "log"), "table", "log")
  local exchanges = {}
  for i, entry in ipairs(need(member(log, "entries"), "table", "log.entries")) do
    exchanges[i] = exchangeOf(entry, ("log.entries[%d]"):format(i - 1))
  end
  return exchanges
end

--- The exchanges of a file, in its order; nil and a message when it cannot be read or is no HAR file.
function har.read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local contents
  contents, message = file:read "a"
  file:close()
  if not contents then return nil, path .. ": " .. message end
  local document = json.decode((contents:gsub("^\xEF\xBB\xBF", "")))
  if type(document) ~= "table" then return nil, path .. ": not a HAR file: it is no JSON object" end
  local ok, exchanges = pcall(exchangesOf, document)
  if ok then return exchanges end
  if type(exchanges) ~= "table" then error(exchanges, 0) end
  return nil, path .. ": not a HAR file: " .. exchanges[1]
end

return har
