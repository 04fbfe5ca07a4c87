--- The request object, which handlers and promises of data objects get, and the sending of it.
--
-- Its keys: jsdo, async, fnName, operation, objParam, jsrecord, jsrecords, batch; once the answer has come,
-- success, xhr (the response of session:request), response (its decoded body, out of the wrapper
-- `response`), and after a failure exception (the error object).

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local core = require "datasession.core"
local document = require "datasession.internal.data.document"
local closing = require("datasession.internal.lua").closing

local request = {
  CREATE = 1, READ = 2, UPDATE = 3, DELETE = 4, SUBMIT = 5, -- values of request.operation
}

-- request object -> the JSON that it sends
local bodies = setmetatable({}, { __mode = "k" })

-- objParam of a save is what its body holds; few programs read it.
local meta = {
  __index = function(made, name)
    if name == "objParam" and bodies[made] then
      made.objParam = codec.decode(bodies[made])
      return rawget(made, "objParam")
    end
  end,
}

local HEADERS = { ["Content-Type"] = "application/json; charset=utf-8" }

--- A request object.
-- @param name string: the operation's name; those built in are _read, _create, _update, _delete, _submit
-- @param members table: what it has beside; it becomes the object
function request.new(jsdo, name, members)
  members = members or {}
  members.jsdo, members.async, members.fnName = jsdo, true, name
  return members
end

-- The body in the member `response`, in which some servers wrap it.
local function unwrapped(body)
  if type(body) == "table" and body.response ~= nil and body.response ~= codec.null
    and body.response ~= false then
    return body.response
  end
  return body
end

--- Puts the response and its decoded body into the request.
-- @param pause function or nil: called between slices of the work, if the step has a budget
-- @return true; nil and a message: the body is not JSON
function request.take(made, response, pause)
  made.xhr = response
  local text = response and response.body
  if not text or text == "" then
    return nil, "the response has no body"
  end
  local body, message
  if pause and core.hasBudget() then -- without a budget slices would only cost the search for the rows
    body, message = document.decode(text, pause)
  else
    body, message = codec.decode(text)
  end
  if body == nil then
    return nil, "the response is not JSON: " .. message
  end
  made.response = unwrapped(body)
  return true
end

--- An error object for a call of a data object.
-- @param kind string: one of those that docs/errors.md lists
-- @param made the request object: info of the call is { errorObject =, request =, jsdo = }
-- @param cause error object or nil: the failure that led to this one, whose fields it takes over
function request.failure(kind, message, hint, made, cause)
  local err = core.failure {
    kind = kind, message = message, hint = hint, result = core.constants.GENERAL_FAILURE,
  }
  for _, field in ipairs { "httpStatus", "uri", "retryable", "response", "result", "attempts" } do
    local value = cause and cause[field]
    if value ~= nil then
      err[field] = value
    end
  end
  return request.blame(err, made)
end

--- Makes an error object that of the call: its `info` and its owner, the data object.
-- @return the error object
function request.blame(err, made)
  local info = err.info or {}
  info.errorObject, info.request, info.jsdo, info.success = err, made, made.jsdo, false
  err.info = info
  err.jsdo = made.jsdo
  made.success, made.exception = false, err
  return err
end

-- Closed with the coroutine that waits when its call is cancelled: aborts the request.
local pendingMeta = { __close = function(pending) pending.promise:cancel() end }

-- session:request resolves with a status such as 304, by which no server confirms anything.
local function unconfirmed(made, response)
  local message = ("request: HTTP %d from %s: expected a status from 200 to 299"):format(response.status,
    response.uri)
  return request.failure("protocol", message, nil, made, {
    httpStatus = response.status, uri = response.uri, response = response,
  })
end

local SAVES = { _create = true, _update = true, _delete = true, _submit = true }

-- The message begins with the call that the program made.
local function rename(made, err)
  if SAVES[made.fnName] then err.message = err.message:gsub("^request: ", "saveChanges: ") end
end

--- Sends a request by the session, and waits for the response in the coroutine that calls.
-- @param made the request object, which gets `xhr`, `response` and, after a failure, `exception`
-- @param options table: `uri`, `method`, `body` (string or nil), and what else session:request takes
-- @return the response; nil and the error object of session:request
function request.send(made, options)
  if options.body then
    options.headers = HEADERS
    if rawget(made, "objParam") == nil then
      bodies[made] = options.body
      setmetatable(made, meta)
    end
  end
  local pending = setmetatable({ promise = made.jsdo[P].session:request(options) }, pendingMeta)
  local response, err = closing(pending, pending.promise.await, pending.promise)
  if response and response.status < 300 then
    return response
  end
  if response then err = unconfirmed(made, response) end
  rename(made, err)
  request.take(made, err.response)
  made.success, made.exception = false, err
  return nil, err
end

return request
