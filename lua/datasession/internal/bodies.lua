--- Bodies of responses that are taken as they come: the options `saveTo` and `stream` of requests.

local chunks = require "datasession.internal.chunks"
local core = require "datasession.core"
local download = require "datasession.internal.download"
local requestFlow = require "datasession.internal.flow"
local mistake = require "datasession.internal.mistake"

local bodies = {}

local OWN = { saveTo = true, resume = true, stream = true }

local function fail(message, ...) mistake("request: " .. message:format(...)) end

local function check(options)
  local to, kind = options.saveTo, type(options.saveTo)
  if to ~= nil and kind ~= "string" and kind ~= "function" then
    fail("option 'saveTo': expected a path or a function, got %s", kind)
  end
  for _, name in ipairs { "resume", "stream" } do
    if options[name] ~= nil and type(options[name]) ~= "boolean" then
      fail("option '%s': expected a boolean, got %s", name, type(options[name]))
    end
  end
  if to ~= nil and options.stream then fail "expected either option 'saveTo' or option 'stream'" end
  if options.resume and kind ~= "string" then fail "option 'resume' needs a path in option 'saveTo'" end
end

-- The options of the request itself.
local function rest(options)
  local copy = {}
  for name, value in pairs(options) do
    if not OWN[name] then copy[name] = value end
  end
  return copy
end

-- Hands over a body that did not flow: it might have said something of the session.
local function handTail(f, response, ...)
  local ok, err = f(response.body, response)
  if ok == nil and err ~= nil then error(err, 0) end
  return response, ...
end

local function saveToFunction(session, options, f)
  return requestFlow(session, options, f):next(function(response, ...)
    if response.body == "" then return response, ... end
    return core.spawn(handTail, f, response, ...)
  end)
end

--- session:request for a body that is taken as it comes.
-- @param options as for session:request, with `saveTo` or `stream`
-- @return the promise of the request. Raises for mistakes in the options
function bodies.request(session, options)
  check(options)
  if options.stream then return chunks.request(session, rest(options)) end
  if type(options.saveTo) == "function" then
    return saveToFunction(session, rest(options), options.saveTo)
  elseif options.saveTo then
    return download.request(session, rest(options), options.saveTo, options.resume)
  end
  return session:request(rest(options))
end

return bodies
