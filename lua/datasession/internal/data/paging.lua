--- Pages: fills of `top` rows each, one after the other, until the server has no more.

local P = require("datasession.internal.data.private").P
local ascii = require "datasession.internal.ascii"
local fill = require "datasession.internal.data.fill"
local jfp = require "datasession.internal.data.jfp"
local memory = require "datasession.internal.data.memory"
local merge = require "datasession.internal.data.merge"
local raise = require "datasession.internal.raise"
local requests = require "datasession.internal.data.request"
local schema = require "datasession.internal.data.schema"
local tableref = require "datasession.internal.data.tableref"
local math = require("datasession.internal.lua").math

local paging = { tableMethods = {} }

-- ---- Checks

local function checkCatalog(jsdo, method, level)
  local operation = jsdo[P].resource:operation "read"
  local mapping = operation and operation.mappingType
  local isJFP = mapping and ascii.upper(mapping) == "JFP"
  if not (isJFP and jfp.can(operation, "top") and jfp.can(operation, "skip")) then
    raise(("%s: the read operation of %s cannot page: it lacks the mapping JFP with top and skip")
      :format(method, jsdo[P].resource.name), level + 1)
  end
end

local function checkOptions(t, method, options, level)
  if type(options) ~= "table" then
    raise(("%s: expected a table of options, got %s"):format(method, type(options)), level + 1)
  end
  if options.keep ~= nil and type(options.keep) ~= "boolean" then
    raise(("%s: option 'keep': expected a boolean, got %s"):format(method, type(options.keep)), level + 1)
  end
  for _, name in ipairs { "mergeMode", "id" } do
    if options[name] ~= nil then
      raise(("%s: option '%s' is not for pages"):format(method, name), level + 1)
    end
  end
  checkCatalog(t[P].jsdo, method, level + 1)
end

local function checkTop(method, top, level)
  if math.type(top) ~= "integer" or top < 1 then
    raise(("%s: option 'top': expected the number of rows of a page, 1 or more"):format(method), level + 1)
  end
end

-- ---- Fetching

local function copyOf(options)
  local copy = {}
  for name, value in pairs(options) do
    if name ~= "keep" then copy[name] = value end
  end
  return copy
end

-- Raises an error object: pending changes would be lost.
local function checkChanges(run)
  for _, t in ipairs(run.jsdo[P].tables) do
    if memory.hasChanges(t) then
      local made = requests.new(run.jsdo, "_read")
      error(requests.failure("refused", run.method .. ": the next page would drop pending changes",
        "save or reject them before you go on, or leave out keep = false", made), 0)
    end
  end
end

-- Some servers know `top` and ignore `skip`: they would send the same page for ever.
local function checkProgress(run, text, request)
  if schema.rowKeys(run.t[P].shape) and run.text == text then
    error(requests.failure("protocol", run.method .. ": the server sent the same page twice",
      "it seems to ignore skip: do without pages, or correct the service", request), 0)
  end
  run.text = text
end

-- The records of the next page that are new in memory: rows may move to the next page while pages are read.
-- nil at the end.
local function fetchOne(run)
  local replaces = not run.keep or run.pages == 0
  if replaces and run.pages > 0 then checkChanges(run) end
  local options = run.options
  options.skip, options.mergeMode = run.skip, not replaces and merge.REPLACE or nil
  local page = { t = run.t }
  local jsdo, err, request = fill.start(run.jsdo, run.method, options, page, 3):await()
  if not jsdo then error(err, 0) end
  run.pages, run.skip = run.pages + 1, run.skip + page.received
  run.finished = page.received ~= options.top
  if not run.finished then checkProgress(run, request.xhr.body, request) end
  return page.records
end

-- The records of the next page; nil at the end. Raises the error object of a fill that fails.
local function fetch(run)
  while not run.finished do
    local records = fetchOne(run)
    if #records > 0 then return records end
  end
end

local function start(t, method, options, level)
  checkOptions(t, method, options, level + 1)
  local jsdo = t[P].jsdo
  local run = {
    t = t, jsdo = jsdo, method = method, keep = options.keep ~= false, pages = 0,
    skip = options.skip or 0, options = copyOf(options),
  }
  if #jsdo[P].tables > 1 then run.options.tableRef = t[P].shape.name end
  fill.check(jsdo, method, run.options, level + 1)
  checkTop(method, options.top, level + 1)
  return run
end

--- Walks the pages of a table: `for page in customers:pages { top = 200 } do`. Each page is an array of
-- records. A page is fetched when the loop asks for it, also outside coroutines. The first replaces the
-- records in memory, the next ones are added to them; a row that is there already is not given again.
-- @param options table: `top`, the number of rows of a page; `skip`, the number of rows to leave out first;
--   `filter` and `sort` as for fill; `keep`, by default true; false: each page replaces the one before
-- @return iterator. It raises the error object when a fill fails. Raises for wrong options, and when the
--   catalog does not offer top and skip
function paging.tableMethods.pages(t, options)
  local run = start(t, "pages", options, 2)
  return function() return fetch(run) end
end

local inMemory = tableref.methods.records

--- Walks the records: without options those in memory, with options those of all pages, which are fetched as
-- the loop goes.
-- @param options nil, or a table as for pages
-- @return iterator
function paging.tableMethods.records(t, options)
  if options == nil then return inMemory(t) end
  local run = start(t, "records", options, 2)
  local page, i = {}, 0
  return function()
    i = i + 1
    if page and page[i] == nil then
      page, i = fetch(run), 1
    end
    return page and page[i]
  end
end

return paging
