--- HTTP as the applications see it: a request taken apart, and answers put together.
--
-- An answer is a table: `status`, `headers` (a flat list: name, value, name, value, ...), `body`;
-- for routes `size` (bytes to send: above its length the body repeats); and for the faults `delay`
-- (seconds), `ending` ("whole", "cut", "close", "reset", "raw") and `after` (bytes, for "cut"). One that
-- waits has `again`, a function that completes it and returns true, or returns false and the seconds after
-- which it is called again; `site.wake` calls it at once.
local ascii = require "datasession.internal.ascii"
local json = require "datasession.sandbox.json"

local http = {}

--- Text with its %XX decoded; in the forms' encoding `+` is a space too.
function http.unescape(text, form)
  if form then text = text:gsub("+", " ") end
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

--- The pairs of a query or of a form body, by name; of a name that occurs twice the last one.
function http.parseForm(text)
  local values = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    values[http.unescape(name, true)] = http.unescape(value, true)
  end
  return values
end

-- "/a;x=1/b" -> "/a/b", { x = "1" }
local function parsePath(raw)
  local parameters = {}
  local path = raw:gsub(";([^/]*)", function(text)
    for pair in text:gmatch("[^;]+") do
      local name, value = pair:match("^([^=]*)=?(.*)$")
      parameters[http.unescape(name)] = http.unescape(value)
    end
    return ""
  end)
  return http.unescape(path), parameters
end

-- Lower-case names; the lines of one name joined as HTTP allows it.
local function parseHeaders(flat)
  local headers = {}
  for i = 1, #flat, 2 do
    local name, value = ascii.lower(flat[i]), flat[i + 1]
    local joint = name == "cookie" and "; " or ", "
    headers[name] = headers[name] and headers[name] .. joint .. value or value
  end
  return headers
end

--- The path and the query of a URI, also of an absolute one, which proxies get.
function http.target(uri)
  local target = uri:gsub("^%a[%w+.-]*://[^/?#]*", ""):gsub("#.*$", "")
  return target:find "^/" and target or "/" .. target
end

--- A request as it came from C, with `path` (decoded, without path parameters), `parameters` (of
-- the path), `query` (by name) and `headers` (by lower-case name).
function http.parse(raw)
  local uri = http.target(raw.uri)
  local path, query = uri:match("^([^?]*)%??(.*)$")
  local request = {
    method = raw.method, uri = raw.uri, body = raw.body, size = raw.size, tooBig = raw.tooBig,
    user = raw.user, password = raw.password,
    headers = parseHeaders(raw.headers), query = http.parseForm(query),
  }
  request.path, request.parameters = parsePath(path)
  return request
end

--- All values that the request has for a cookie, in order.
function http.cookies(request, name)
  local values = {}
  for pair in (request.headers.cookie or ""):gmatch("[^;]+") do
    local key, value = pair:match("^%s*([^=%s]*)%s*=%s*(.-)%s*$")
    if key == name then values[#values + 1] = value end
  end
  return values
end

--- The token after a scheme, in any case, in the request's Authorization. nil without one.
function http.credentials(request, scheme)
  local name, token = (request.headers.authorization or ""):match("^(%S+)%s+(%S+)%s*$")
  return name and ascii.lower(name) == scheme and token or nil
end

--- Whether the request says that it takes JSON by name.
function http.wantsJSON(request)
  return ascii.lower(request.headers.accept or ""):find("application/json", 1, true) ~= nil
end

function http.answer(status, contentType, body)
  local headers = contentType and { "Content-Type", contentType } or {}
  return { status = status, headers = headers, body = body or "" }
end

function http.addHeader(answer, name, value)
  local headers = answer.headers
  headers[#headers + 1], headers[#headers + 2] = name, value
  return answer
end

--- An answer whose body is the JSON of a value.
function http.json(status, value)
  return http.answer(status, "application/json", json.encode(value))
end

function http.html(status, text)
  return http.answer(status, "text/html;charset=UTF-8", text)
end

--- A status as the security layer reports it in JSON, whatever the HTTP status is.
function http.report(status, code, text)
  return http.json(status, json.ordered { { "status_code", code }, { "status_txt", text } })
end

--- A redirect.
function http.redirect(location)
  return http.addHeader(http.html(302, ""), "Location", location)
end

--- Whether an answer is a 2xx.
function http.isSuccess(answer)
  return answer.status >= 200 and answer.status <= 299
end

--- A failure as data requests report it: `_errors` with one message, and the return value (default: empty).
function http.failure(status, message, number, returnValue)
  return http.json(status, json.ordered {
    { "_retVal", returnValue or "" },
    { "_errors", json.list { json.ordered { { "_errorMsg", message }, { "_errorNum", number or 0 } } } },
  })
end

function http.notFound(request)
  return http.failure(404, "There is nothing at " .. request.path)
end

function http.methodNotAllowed(request, allowed)
  local answer = http.failure(405, request.method .. " is not allowed at " .. request.path)
  return http.addHeader(answer, "Allow", allowed)
end

return http
