--- Functions of the host's program in the server's Lua state: runs one and makes an answer of its results.
local ascii = require "datasession.internal.ascii"
local check = require "datasession.sandbox.check"
local json = require "datasession.sandbox.json"
local lua = require "datasession.internal.lua"

local math, table = lua.math, lua.table

local SECONDS = 10     -- for one call, which holds up all other requests
local STEP = 10000     -- instructions between two looks at the clock
local BLOCK = 64 * 1024

local handler = {}

local Bytes = {} -- the metatable of bodies that repeat

--- A body of so many bytes: `text` (default: "x") over and over. It takes the memory of one block.
local function bytes(size, text)
  check.value("argument 'size' for 'request.bytes'", check.integer(0, 2 ^ 50), size, 2)
  check.value("argument 'text' for 'request.bytes'", check.name, text or "x", 2)
  text = text or "x"
  if #text < size and #text < BLOCK then text = text:rep(math.floor(BLOCK / #text)) end
  return setmetatable({ text = text:sub(1, math.min(size, #text)), size = math.tointeger(size) }, Bytes)
end

local function copy(values)
  return table.move(values, 1, #values, 1, {})
end

local function copyNames(values)
  local copied = {}
  for name, value in pairs(values) do copied[name] = value end
  return copied
end

-- A copy of the request: the function may change it without harm to the log or to the applications.
local function requestFor(request, captures)
  return {
    method = request.method, uri = request.uri, path = request.path, body = request.body,
    size = request.size, tooBig = request.tooBig, user = request.user, password = request.password,
    query = copyNames(request.query), parameters = copyNames(request.parameters),
    headers = copyNames(request.headers), captures = copy(captures), bytes = bytes,
  }
end

local function add(flat, name, value)
  if type(value) == "number" then value = tostring(value) end
  local ok, expected = check.headerLines { [name] = value }
  if not ok then
    error(("bad header '%s': %s expected"):format(tostring(name), expected), 0)
  end
  flat[#flat + 1], flat[#flat + 2] = name, value
end

local function flatHeaders(headers)
  local flat = {}
  if headers == nil then return flat end
  if type(headers) ~= "table" then
    error(("bad headers: table of values by name expected, got %s"):format(type(headers)), 0)
  end
  for name, value in pairs(headers) do
    for _, one in ipairs(type(value) == "table" and value or { value }) do add(flat, name, one) end
  end
  return flat
end

local function hasContentType(flat)
  for i = 1, #flat, 2 do
    if ascii.lower(flat[i]) == "content-type" then return true end
  end
  return false
end

-- Sets the body of an answer: text, a body that repeats, or a table, which is sent as JSON.
local function setBody(answer, body)
  if type(body) ~= "table" then
    if body ~= nil and type(body) ~= "string" and type(body) ~= "number" then
      error(("bad body: string or table expected, got %s"):format(type(body)), 0)
    end
    answer.body = body and tostring(body) or ""
  elseif getmetatable(body) == Bytes then
    answer.body, answer.size = body.text, body.size
  else
    answer.body = json.encode(body)
    if not hasContentType(answer.headers) then
      table.move({ "Content-Type", "application/json" }, 1, 2, #answer.headers + 1, answer.headers)
    end
  end
end

local isStatus = check.integer(200, 599)

-- The answer of a function's results. nil: it left the answer to others.
local function answerOf(status, headers, body)
  if status == nil then return nil end
  if not isStatus(status) then
    error(("bad status: integer from 200 to 599 expected, got %s: return status, headers, body")
      :format(type(status) == "number" and status or type(status)), 0)
  end
  local answer = { status = math.tointeger(status), headers = flatHeaders(headers) }
  setBody(answer, body)
  return answer
end

--- The status, the headers by name, and the body of an answer. A name that occurs twice has a list.
function handler.results(answer)
  local headers = {}
  for i = 1, #(answer.headers or {}), 2 do
    local name, value = answer.headers[i], answer.headers[i + 1]
    local former = headers[name]
    if type(former) == "table" then former[#former + 1] = value
    else headers[name] = former and { former, value } or value end
  end
  local body = answer.body or ""
  if answer.size then body = setmetatable({ text = body, size = answer.size }, Bytes) end
  return answer.status, headers, body
end

-- The traceback without the server's own lines.
local function traceback(message)
  if type(message) ~= "string" then message = tostring(message) end
  local lines = {}
  for line in debug.traceback("", 2):gmatch "[^\n]+" do
    local own = line:find("datasession/sandbox/", 1, true) or line:find "^%s*%[C%]"
      or line:find "^%s*%(%.%.%.tail"
    if not own then lines[#lines + 1] = line end
  end
  return message .. (lines[2] and "\n" .. table.concat(lines, "\n") or "")
end

-- The limit of a function that calls serve() holds after that, too.
local function withLimit(clock, f, ...)
  local deadline = clock() + SECONDS
  local hook, mask, count = debug.gethook()
  lua.sethook(function()
    if clock() > deadline then error(("it ran for more than %d seconds"):format(SECONDS), 2) end
  end, "", STEP)
  local results = table.pack(xpcall(f, traceback, ...))
  lua.sethook(hook, mask, count)
  return table.unpack(results, 1, results.n)
end

local function run(one, request, serve)
  return answerOf(one.run(request, one.state, serve))
end

--- Loads a function that the host has dumped, with its state.
-- @param name string: what errors call it, as "the route GET /stock"
-- @param clock function: seconds
function handler.new(name, code, state, clock)
  return { name = name, run = assert(load(code, name, "b")), state = assert(load(state))(), clock = clock }
end

--- The answer of a function to a request; nil: it gave none. After an error the answer has status 500 and
-- the message, which is the second result too.
-- @param serve function: gives what the server answers without this function
function handler.answer(one, request, captures, serve)
  local ok, answer = withLimit(one.clock, run, one, requestFor(request, captures), serve)
  if ok then return answer end
  local message = ("%s: %s"):format(one.name, tostring(answer))
  return { status = 500, headers = { "Content-Type", "text/plain;charset=UTF-8" }, body = message }, message
end

return handler
