--- The entries of getErrors: each failure of the last fill or saveChanges has at least one.
--
-- An entry is { type =, error =, errorNum =, id =, record =, responseText =, tableName = }; all but the first
-- two may be absent.

local P = require("datasession.internal.data.private").P
local codec = require "datasession.internal.codec"
local lua = require "datasession.internal.lua"

local table, tostring = lua.table, lua.tostring

local errors = {
  ERROR = -1,       -- no usable answer came
  APP_ERROR = -2,   -- one of the server's `_errors`
  RETVAL = -3,      -- the server's `_retVal`
  DATA_ERROR = -4,  -- an error of one record
}

local GENERIC = "The server reports an error without a text."
local COVER = "(7243)"        -- OpenEdge's number of a message that only says that there are others

local function text(value)
  if type(value) == "string" then return value end
  return type(value) == "number" and tostring(value) or nil
end

--- Forgets all entries.
function errors.clear(jsdo)
  jsdo[P].errors = {}
end

--- Adds an entry.
-- @param record the record that it belongs to, or nil
function errors.add(jsdo, entry, record, t)
  local list = jsdo[P].errors
  entry.record = record
  entry.tableName = t and #jsdo[P].tables > 1 and t[P].shape.name or nil
  list[#list + 1] = entry
end

-- True for an entry of `_errors` that says nothing of its own: number 0 and the text of `_retVal`; or the
-- cover of other messages.
local function isEmpty(one, retVal, several)
  local message = text(one._errorMsg)
  return one._errorNum == 0 and retVal ~= nil and message == retVal
    or several and message ~= nil and message:find(COVER, 1, true) ~= nil
end

local function applicationErrors(list, retVal)
  local found = {}
  for _, one in ipairs(list) do
    if type(one) == "table" and not isEmpty(one, retVal, #list > 1) then
      local number = one._errorNum
      found[#found + 1] = {
        type = errors.APP_ERROR,
        error = text(one._errorMsg) or GENERIC,
        errorNum = type(number) == "number" and number or nil,
      }
    end
  end
  return found
end

-- The entries in one object of a server's body.
local function ofObject(object, found)
  local retVal = text(object._retVal)
  if retVal and retVal ~= "" then
    found[#found + 1] = { type = errors.RETVAL, error = retVal }
  end
  if type(object._errors) == "table" then
    local list = applicationErrors(object._errors, retVal)
    table.move(list, 1, #list, #found + 1, found)
  end
end

--- The entries that the body of a failed request gives: `{ _errors, _retVal }`, or an array of such.
-- @param body the decoded body, of any type
-- @return array of entries, empty when the body has none
function errors.ofBody(body)
  local found = {}
  if type(body) ~= "table" or body == codec.null then
    return found
  end
  ofObject(body, found)
  for _, one in ipairs(body) do
    if type(one) == "table" then
      ofObject(one, found)
    end
  end
  return found
end

-- The text of a response that is no JSON object, as for a page.
local function responseText(request)
  local xhr = request and request.xhr
  return xhr and type(xhr.body) == "string" and xhr.body ~= "" and xhr.body or nil
end

--- Adds the entries of a failed request: the server's errors, or else one of type ERROR.
-- @param err the error object
-- @param request its request object, or nil
-- @param record, t the record that the request was about and its table, or nil
-- @param id string: the record's id, or nil
function errors.ofRequest(jsdo, err, request, record, t, id)
  local found = errors.ofBody(request and request.response)
  if #found == 0 then
    found[1] = { type = errors.ERROR, error = err.message, responseText = responseText(request) }
  end
  for _, entry in ipairs(found) do
    entry.id = id
    errors.add(jsdo, entry, record, t)
  end
end

--- Adds the entry of a record whose row the server refused in a response of status 2xx.
function errors.ofRow(jsdo, message, record, t, id)
  errors.add(jsdo, { type = errors.DATA_ERROR, error = message, id = id }, record, t)
end

errors.GENERIC = GENERIC

local function copyOf(entry)
  local made = {}
  for key, value in pairs(entry) do
    made[key] = value
  end
  return made
end

errors.methods, errors.tableMethods = {}, {}

--- The errors of the last fill or saveChanges, in the order in which they came.
-- @return array of { type =, error =, errorNum =, id =, record =, responseText =, tableName = }. `type` is
--   datasession.data.ERROR, APP_ERROR, RETVAL or DATA_ERROR; the others but `error` may be nil
function errors.methods.getErrors(jsdo)
  local list = {}
  for i, entry in ipairs(jsdo[P].errors) do
    list[i] = copyOf(entry)
  end
  return list
end

--- The same for one table: without the errors of other tables' records.
function errors.tableMethods.getErrors(t)
  local list = {}
  local name = t[P].shape.name
  for _, entry in ipairs(t[P].jsdo[P].errors) do
    if entry.tableName == nil or entry.tableName == name then
      list[#list + 1] = copyOf(entry)
    end
  end
  return list
end

return errors
