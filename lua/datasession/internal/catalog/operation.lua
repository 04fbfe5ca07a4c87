--- The operations of a resource: what is sent where, and the parameters that make up the address.

local check = require("datasession.internal.catalog.check")
local codec = require("datasession.internal.codec")
local ascii = require("datasession.internal.ascii")
local object = require("datasession.internal.catalog.object")
local percent = require("datasession.internal.percent")
local raise = require("datasession.internal.raise")
local suggest = require("datasession.internal.suggest")

local find, format, gsub = string.find, string.format, string.gsub
local gmatch, match = string.gmatch, string.match
local lower, upper = ascii.lower, ascii.upper
local fail, loose, optional = check.fail, check.loose, check.optional
local null = codec.null

local DEFAULT_VERB = {
  create = "POST", read = "GET", update = "PUT", delete = "DELETE", submit = "PUT", count = "PUT",
  invoke = "PUT",
}
local VERBS = { GET = true, POST = true, PUT = true, DELETE = true }

-- Parameters that stand in the URL, and those that do not.
local IN_URL = { PATH = true, QUERY = true, MATRIX = true }
local IN_BODY = {
  REQUEST_BODY = true, RESPONSE_BODY = true,
  ["REQUEST_BODY,RESPONSE_BODY"] = true, ["RESPONSE_BODY,REQUEST_BODY"] = true,
}

local operationMethods = {}
local operationMeta = object.meta("datasession.catalog.operation", operationMethods)

local function operationLabel(operation)
  return operation.name and operation.name ~= "" and format("%s %s", operation.type, operation.name)
    or operation.type
end

function operationMeta:__tostring()
  return format("operation %s: %s %s", operationLabel(self), self.verb, object.redacted(self.uri))
end

--- Whether the parameters that the catalog declares can be passed: true, or nil and a message.
local function checkParams(operation)
  for i = 1, #operation.params do
    local param = operation.params[i]
    local kind = param.type and upper(gsub(param.type, "%s", "")) or ""
    local name = param.name or "without a name"
    if not IN_URL[kind] and not IN_BODY[kind] then
      return nil, format("parameter '%s' of the operation %s: type %s is not supported",
        name, operationLabel(operation), check.shown(param.type))
    elseif IN_URL[kind] and not find(operation.uri, format("{%s}", name), 1, true) then
      return nil, format("parameter '%s' of the operation %s: the address has no {%s}",
        name, operationLabel(operation), name)
    end
  end
  return true
end

--- The value that was probably meant for a placeholder that has none: its name; or nil.
local function misspelt(placeholder, values)
  local names = {}
  for name in pairs(values or {}) do names[#names + 1] = name end
  return suggest.nearest(placeholder, names)
end

--- The text of a value that replaces a placeholder: nil when there is no such text.
local function valueText(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "boolean" then return tostring(value) end
  if value == null then return "" end
  if kind == "number" or kind == "table" then return (codec.encode(value)) end
end

--- The operation's address with its {name} placeholders replaced by percent-encoded values.
-- @param values table from names to values: strings, numbers and booleans stand as they are (0,
--   false and "" too), tables as JSON, `codec.null` as nothing. Raises, naming the parameter, when a
--   value is missing or has no text. By default an empty table.
-- @return the address; or nil and a message when the catalog declares a parameter that cannot be
--   passed: of an unknown type, or not in the address
function operationMethods:expand(values)
  if values ~= nil and type(values) ~= "table" then
    raise(format("bad argument #1 to 'expand' (table expected, got %s)", type(values)), 2)
  end
  local ok, message = checkParams(self)
  if not ok then return nil, message end
  local wrong
  local uri = gsub(self.uri, "{([^{}]*)}", function(name)
    local value
    if values then value = values[name] end
    local text = valueText(value)
    if not text then wrong = wrong or { name, value } end
    return text and percent.encode(text, percent.COMPONENT)
  end)
  if wrong then
    local name, value = wrong[1], wrong[2]
    local given, other = "a " .. type(value), nil
    if value == nil then given, other = "nothing", misspelt(name, values) end
    raise(format("bad argument #1 to 'expand' (the operation %s needs a value for '%s', got %s%s)",
      operationLabel(self), name, given, other and format(": did you misspell '%s'?", other) or ""), 2)
  end
  return uri
end

object.methods("datasession.catalog.operation", "an operation", operationMethods)

local function buildParam(at, depth, param)
  return {
    name = optional(at, depth, param, "name", "string"),
    type = optional(at, depth, param, "type", "string"),
    xType = loose(at, depth, param, "xType", "string"),
  }
end

local function operationType(at, depth, operation)
  local kind = lower(optional(at, depth, operation, "type", "string") or "invoke")
  if not DEFAULT_VERB[kind] then
    fail(at, depth, "type", "create, read, update, delete, submit, count or invoke", operation.type)
  end
  return kind
end

local function operationVerb(at, depth, operation, kind)
  local verb = upper(optional(at, depth, operation, "verb", "string") or DEFAULT_VERB[kind])
  if not VERBS[verb] then fail(at, depth, "verb", "get, post, put or delete", operation.verb) end
  return verb
end

--- The mode in which rows are merged: a name in the specification, a number in the client.
local function mergeMode(at, depth, operation)
  local mode = operation.mergeMode
  if type(mode) == "string" or type(mode) == "number" then return mode end
  if mode ~= nil and mode ~= null then check.remark(at, depth, "mergeMode", "a string or a number", mode) end
end

--- The parts of a comma list.
local function splitList(text)
  local parts = {}
  for piece in gmatch(text or "", "[^,]+") do
    local part = match(piece, "^%s*(.-)%s*$")
    if part ~= "" then parts[#parts + 1] = part end
  end
  return parts
end

local operation = {}

--- True if the name is that of a type of which a resource has one operation at most.
function operation.isType(name)
  return DEFAULT_VERB[name] ~= nil and name ~= "invoke"
end

--- Makes an operation of its description.
-- @param at, depth its place in the document
-- @param description table, what the document says
-- @param base string, the web application's address
-- @param prefix string, what comes before the operation's path
-- @param seen table, kept from one operation of a resource to the next: indexes by type
function operation.build(at, depth, description, base, prefix, seen)
  local kind = operationType(at, depth, description)
  if kind ~= "invoke" and seen[kind] then
    local expected = format("one operation of type %s, and operations[%d] is one", kind, seen[kind])
    fail(at, depth, "type", expected, description.type)
  end
  seen[kind] = at[depth]
  local path = optional(at, depth, description, "path", "string") or ""
  return setmetatable({
    type = kind,
    name = optional(at, depth, description, "name", "string"),
    verb = operationVerb(at, depth, description, kind),
    path = path,
    uri = object.absolute(base, prefix .. path),
    params = check.list(at, depth, description, "params", buildParam),
    useBeforeImage = loose(at, depth, description, "useBeforeImage", "boolean") or false,
    mergeMode = mergeMode(at, depth, description),
    mappingType = loose(at, depth, description, "mappingType", "string"),
    capabilities = splitList(loose(at, depth, description, "capabilities", "string")),
  }, operationMeta)
end

return operation
