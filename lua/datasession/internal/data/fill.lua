--- fill: one request for rows, which replace the records in memory or are merged with them.
--
-- A fill that fails leaves records and changes as they are. The newest fill wins: an older one whose response
-- comes later is rejected. A fill that merges waits for those that were called before it.

local P = require("datasession.internal.data.private").P
local core = require "datasession.core"
local errors = require "datasession.internal.data.errors"
local events = require "datasession.internal.data.events"
local forms = require "datasession.internal.data.forms"
local image = require "datasession.internal.data.image"
local memory = require "datasession.internal.data.memory"
local merge = require "datasession.internal.data.merge"
local lua = require "datasession.internal.lua"
local pause = require "datasession.internal.pause"
local plugins = require "datasession.internal.data.plugins"
local query = require "datasession.internal.data.query"
local raise = require "datasession.internal.raise"
local relations = require "datasession.internal.data.relations"
local requests = require "datasession.internal.data.request"
local rows = require "datasession.internal.data.rows"
local schema = require "datasession.internal.data.schema"

local running, closing = lua.running, lua.closing

local fill = { methods = {} }

local SHAPE_HINT = "check the resource's path and schema in the catalog, and what the service answers"

-- ---- Failures

local function fail(call, kind, message, hint, cause)
  error(requests.failure(kind, call.name .. ": " .. message, hint, call.made, cause), 0)
end

local function failShape(call, message)
  local response = call.made.xhr
  fail(call, "protocol", message, SHAPE_HINT, response and {
    httpStatus = response.status, uri = response.uri, response = response,
  })
end

-- ---- Calls at the same time

-- How often records were changed by the program.
local function edits(jsdo)
  local n = 0
  for _, t in ipairs(jsdo[P].tables) do n = n + t[P].edits end
  return n
end

local function checkNewest(call)
  if call.jsdo[P].filling == call.number then return end
  call.superseded = true
  fail(call, "cancelled", "a newer fill has taken its place")
end

local function awaitSaves(s)
  while s.saving do s.saving.over:await() end
end

-- Waits for saves, and for older fills if this one merges; then memory may change.
local function awaitTurn(call)
  local s = call.jsdo[P]
  if call.asked.mode and call.before then call.before.over:await() end
  awaitSaves(s)
  checkNewest(call)
  if not call.asked.mode and edits(call.jsdo) ~= call.edits then
    fail(call, "refused", "records were changed while the request was pending, so memory stays as it is",
      "save or reject the changes, then fill again")
  end
end

-- ---- Rows into memory

-- Makes a record what its mark says.
local function mark(jsdo, t, r, found)
  image.restore(r, found)
  if found.rejected then memory.setMark(r, "rejected", true) end
  if found.errorString then errors.ofRow(jsdo, found.errorString, r, t, memory.id(r)) end
end

-- The rows that the server tells as deleted are deleted records here.
-- @param known function (row): the record in memory that has its key; or nil
local function addDeleted(jsdo, one, known)
  for _, found in ipairs(one.deleted) do
    local r = known and known(found.old)
    found.state = "deleted"
    if not r then
      mark(jsdo, one.t, memory.append(one.t, found.old), found)
    elseif not memory.change(r) then
      mark(jsdo, one.t, r, found)
    end
  end
end

-- Makes the records of the tables that have no pending changes.
local function prepare(parsed)
  local ready = {}
  for _, one in ipairs(parsed) do
    if next(one.marks) == nil and #one.deleted == 0 then ready[one] = memory.prepare(one.t, one.rows) end
  end
  return ready
end

-- @param ready what `prepare` has made for the table, or nil
local function replace(jsdo, one, ready)
  if ready then
    memory.adopt(one.t, ready)
    return
  end
  memory.clear(one.t)
  for i, row in ipairs(one.rows) do
    local r = memory.append(one.t, row)
    if one.marks[i] then mark(jsdo, one.t, r, one.marks[i]) end
  end
  addDeleted(jsdo, one)
end

local function mergeRows(jsdo, one, mode, added)
  local keys = mode ~= merge.APPEND and schema.rowKeys(one.t[P].shape) or nil
  merge.rows(one.t, one.rows, mode, keys, function(i, r, isNew)
    if one.marks[i] and not memory.change(r) then mark(jsdo, one.t, r, one.marks[i]) end
    if added and isNew then added[#added + 1] = r end
  end)
  addDeleted(jsdo, one, keys and merge.finder(one.t, keys))
end

-- The first record becomes the working record; children follow their parents.
local function setWorking(jsdo)
  for _, t in ipairs(jsdo[P].tables) do
    if not relations.parent(t[P]) then memory.setWorking(t, (memory.records(t)())) end
  end
end

local function collect(t, list)
  for r in memory.records(t) do list[#list + 1] = r end
end

-- Does not give way: no handler sees half of the rows.
local function apply(call, parsed)
  local jsdo, mode = call.jsdo, call.asked.mode
  local ready = mode and {} or prepare(parsed)
  for _, one in ipairs(parsed) do
    local page = call.page
    local added = page and page.t == one.t and {} or nil
    if added then page.received, page.records = #one.rows, added end
    if mode then
      mergeRows(jsdo, one, mode, added)
    else
      replace(jsdo, one, ready[one])
      if added then collect(one.t, added) end
    end
  end
  setWorking(jsdo)
end

-- ---- The call

local function addressOf(call)
  if call.asked.uri then return call.asked.uri end
  local uri, message = query.map(call.jsdo, call.operation, call.asked)
  call.made.objParam = call.asked.object
  return uri or fail(call, "error", message)
end

local function take(call, response)
  local made = call.made
  local ok, message = requests.take(made, response, pause)
  if not ok then
    failShape(call, "expected JSON, got " .. forms.describeText(response.body, message))
  end
  if call.asked.plugin then
    made.response, message = plugins.response(call.asked.plugin, call.jsdo, made.response)
    if not made.response then fail(call, "error", message) end
  end
  local parsed, problem = rows.parse(call.jsdo, made.response, pause)
  return parsed or failShape(call, problem)
end

-- Sends the request and takes the rows out of the response.
local function read(call, uri)
  local made = call.made
  local response, err = requests.send(made, { uri = uri, method = call.operation.verb })
  if response then return take(call, response) end
  checkNewest(call)
  err.message = err.message:gsub("^request: ", call.name .. ": ")
  error(requests.blame(err, made), 0)
end

local function exchange(call)
  local made = call.made
  if events.fire(call.jsdo, "beforeFill", made) == false then
    fail(call, "cancelled", "a handler of beforeFill cancelled it")
  end
  local s, uri = call.jsdo[P], addressOf(call)
  local parsed, saves
  repeat -- what was read while a save was sent may be older than what memory has then
    awaitSaves(s)
    saves = s.saves
    parsed = read(call, uri)
    awaitTurn(call)
  until s.saves == saves
  core.uncollected(apply, call, parsed)
end

-- Lets the fills that wait for this one go on.
local function finish(call)
  local s = call.jsdo[P]
  if s.lastFill == call then s.lastFill = nil end
  call.before = nil
  call.release(true)
end

-- Notes the failure for getErrors. A call that a newer one has superseded leaves that to the newer one.
local function note(call, err)
  if call.superseded then return end
  local known = type(err) == "table" and err.message ~= nil
  errors.ofRequest(call.jsdo, known and err or { message = tostring(err) }, call.made)
end

local function run(call)
  local jsdo, made = call.jsdo, call.made
  call.thread = running()
  errors.clear(jsdo)
  local ok, err = pcall(exchange, call)
  made.success = ok
  if not ok then note(call, err) end
  finish(call) -- handlers may call other fills, and await them
  events.fire(jsdo, "afterFill", ok, made)
  if not ok then error(err, 0) end
  return jsdo, core.constants.SUCCESS, made
end

--- Checks what a call asks for. Raises at `level`.
-- @return the operation, and what query.parse gives
function fill.check(jsdo, name, what, level)
  local operation = jsdo[P].resource:operation "read"
  if not operation then
    raise(("%s: the resource %s has no read operation"):format(name, jsdo[P].resource.name), level + 1)
  end
  local asked, message = query.parse(jsdo, operation, what)
  if not asked then raise(name .. ": " .. message, level + 1) end
  local now = jsdo[P].saving
  if now and now.thread == running() then
    raise(name .. ": a handler of a save cannot fill: fill when the save's promise has settled", level + 1)
  end
  return operation, asked
end

-- The call that this one waits for if it merges: not one whose handler makes this call, which waits itself.
local function earlier(s)
  local call, thread = s.lastFill, running()
  while call and call.thread == thread do call = call.before end
  return call
end

-- Notes the call as the latest one, and prepares its end: the promise call.over, which is settled when
-- call.ending is closed.
local function enter(s, call)
  call.before = earlier(s)
  call.over = core.promise(function(resolve) call.release = resolve end)
  call.ending = setmetatable({}, { __close = function() finish(call) end })
  s.lastFill = call
end

--- Starts a fill.
-- @param name string, of the call, for messages
-- @param page table { t = table reference } or nil: gets the number of rows and the records of that table
-- @return promise. Raises at `level` for what the program did wrong
function fill.start(jsdo, name, what, page, level)
  local operation, asked = fill.check(jsdo, name, what, level + 1)
  local s = jsdo[P]
  if not asked.mode then s.filling = s.filling + 1 end
  local call = {
    jsdo = jsdo, name = name, operation = operation, asked = asked, page = page, number = s.filling,
    edits = edits(jsdo),
    made = requests.new(jsdo, "_read", { operation = requests.READ, objParam = asked.object }),
  }
  enter(s, call)
  return core.spawn(closing, call.ending, run, call)
end

--- Reads rows from the server. They replace the records in memory, and pending changes are lost; with a
-- mergeMode they are merged with the records. When the call fails, memory stays as it is and getErrors has an
-- entry. It fails, too, when records were changed while it was under way, or a newer fill was called.
-- @param what nil: all; a text, which the service understands; or a table. With the mapping JFP: `filter`, a
--   text, { field =, operator =, value = } or { logic =, filters = }; `sort`, as { "Name", "City:desc" };
--   `top`, `skip`, `id`, `tableRef`, `mergeMode`. Without a mapping: the values of the address's placeholders
-- @return promise of (jsdo, SUCCESS, request). Raises for what the catalog or the fields do not allow
function fill.methods.fill(jsdo, what)
  return (fill.start(jsdo, "fill", what, nil, 2)) -- no tail call: errors name the caller's line
end

--- The same as fill.
function fill.methods.read(jsdo, what)
  return (fill.start(jsdo, "read", what, nil, 2))
end

return fill
