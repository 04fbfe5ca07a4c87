--- Answers requests with what was recorded from another server: by method, URI and body, each recording once,
-- in their order.
local ascii = require "datasession.internal.ascii"
local http = require "datasession.sandbox.http"
local json = require "datasession.sandbox.json"
local locale = require "datasession.internal.locale"
local lua = require "datasession.internal.lua"

local math, table = lua.math, lua.table

local Replay = {}
Replay.__index = Replay

local function sorted(text)
  local parts = {}
  for part in text:gmatch "[^&]+" do parts[#parts + 1] = part:gsub("+", "%%20") end
  table.sort(parts, locale.before)
  return http.unescape(table.concat(parts, "&"))
end

local function uriKey(uri)
  local path, query = http.target(uri):match "^([^?]*)%??(.*)$"
  return http.unescape(path) .. "?" .. sorted(query)
end

-- The body without what may differ from run to run: the order of an object's names and of a form's fields,
-- the boundary of a multipart body.
local function bodyKey(body, contentType)
  contentType = type(contentType) == "string" and contentType or ""
  local boundary = contentType:match 'boundary="([^"]+)"' or contentType:match "boundary=([^;%s]+)"
  if boundary then return (body:gsub(boundary:gsub("%p", "%%%0"), "boundary")) end
  if ascii.lower(contentType):find("form-urlencoded", 1, true) then return sorted(body) end
  local first = body:match "^%s*([%[{])"
  local value = first and json.decode(body)
  return value and json.encode(value) or body
end

-- Whether a text is the recorded one, in which *** stands for anything: a recorder has masked it.
local function isSame(recorded, text)
  if recorded == text then return true end
  if not recorded:find("***", 1, true) then return false end
  local pattern = recorded:gsub("%*%*%*+", "\1"):gsub("%p", "%%%0"):gsub("\1", ".-")
  return text:find("^" .. pattern .. "$") ~= nil
end

--- @param exchanges as datasession.sandbox.har gives them
-- @param repeats boolean: whether the last recording of a request answers for good
-- @param name string: what the recordings are called in answers
local function new(exchanges, repeats, name)
  for _, exchange in ipairs(exchanges) do
    exchange.uriKey = uriKey(exchange.uri)
    exchange.bodyKey = exchange.body and bodyKey(exchange.body, exchange.type)
  end
  return setmetatable({ exchanges = exchanges, repeats = repeats, name = name }, Replay)
end

local function answerOf(exchange)
  local status = math.tointeger(exchange.status)
  if not status or status < 200 or status > 599 then return { status = 500, ending = "close" } end
  local headers = table.move(exchange.headers, 1, #exchange.headers, 1, {})
  return { status = status, headers = headers, body = exchange.answer }
end

-- The 404 for a request of which `same` recordings are used up, and `others` differ in the body alone.
local function notRecorded(self, request, same, others)
  local reason = "it has none with this method and URI"
  if same > 0 then
    reason = ("it has %d, which are used up (harRepeats = true gives the last one again)"):format(same)
  elseif others > 0 then
    reason = ("it has %d with this method and URI, but with other bodies"):format(others)
  end
  local text = ("not recorded: %s %s: in %s, %s\n"):format(request.method, request.uri, self.name, reason)
  return http.answer(404, "text/plain;charset=UTF-8", text)
end

--- The answer to a request.
function Replay:answer(request)
  local uri, body = uriKey(request.uri), bodyKey(request.body, request.headers["content-type"])
  local same, others, last = 0, 0, nil
  for _, exchange in ipairs(self.exchanges) do
    if exchange.method == request.method and isSame(exchange.uriKey, uri) then
      if exchange.bodyKey and not isSame(exchange.bodyKey, body) then
        others = others + 1
      else
        if not exchange.used then
          exchange.used = true
          return answerOf(exchange)
        end
        same, last = same + 1, exchange
      end
    end
  end
  if last and self.repeats then return answerOf(last) end
  return notRecorded(self, request, same, others)
end

return { new = new }
