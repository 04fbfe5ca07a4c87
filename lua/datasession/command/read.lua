--- read.

local codec = require "datasession.internal.codec"
local connect = require "datasession.command.connect"
local datasession = require "datasession"
local fail = require "datasession.command.fail"
local show = require "datasession.command.show"

local read = {}

local PAGE = 500 -- records of a page, where the server can send pages

local function filterOf(text)
  if not text or not text:find "^%s*{" then return text end
  local filter, message = codec.decode(text)
  if not filter then fail.with("usage", "--filter: " .. message) end
  return filter
end

local function hasCapability(operation, name)
  for _, one in ipairs(operation and operation.capabilities or {}) do
    if one == name then return true end
  end
  return false
end

-- The argument of fill: JFP where the catalog's operation has it, else the filter's text alone.
local function optionsOf(args, operation)
  local filter = filterOf(args.filter)
  if not operation or operation.mappingType ~= "JFP" then
    if #args.sort > 0 or args.top or args.skip then
      fail.with("usage", "read: this resource takes no --sort, --top and --skip: its mappingType is not JFP")
    end
    return filter
  end
  return {
    filter = filter, sort = #args.sort > 0 and args.sort or nil, top = args.top, skip = args.skip,
    tableRef = filter and args.table or nil,
  }
end

-- The arrays of records, one after the other: by pages where the server can, so that memory holds one.
local function pages(jsdo, ref, args, options)
  local operation = jsdo.resource:operation "read"
  local paged = hasCapability(operation, "top") and hasCapability(operation, "skip")
  if paged and type(options) == "table" and not args.top and jsdo.defaultTableRef then
    options.top, options.keep = PAGE, false
    return jsdo:pages(options)
  end
  local given = false
  return function()
    if given then return nil end
    given = true
    fail.unless(jsdo:fill(options):await())
    local records = {}
    for record in ref:records() do records[#records + 1] = record end
    return records
  end
end

local function tableOf(jsdo, name)
  if jsdo.defaultTableRef and not name then return jsdo, jsdo.resource.tables[1] end
  local names = {}
  for _, one in ipairs(jsdo.resource.tables) do
    names[#names + 1] = one.name
    if one.name == name then return jsdo[name], one end
  end
  fail.with("usage", ("read: --table: expected one of %s"):format(table.concat(names, ", ")))
end

local function fieldsOf(schema, wanted)
  local names = {}
  if not wanted then
    for _, field in ipairs(schema.fields) do
      if not field.name:find "^_" then names[#names + 1] = field.name end
    end
    return names
  end
  for name in wanted:gmatch "[^,]+" do
    names[#names + 1] = schema:field(name).name
  end
  return names
end

local function valuesOf(record, names)
  local values, copy = {}, record:toTable()
  for i, name in ipairs(names) do
    if copy[name] ~= datasession.null then values[i] = copy[name] end
  end
  return values
end

local function objectText(record, names)
  local members, copy = {}, record:toTable()
  for i, name in ipairs(names) do
    local value = copy[name]
    members[i] = codec.encode(name) .. ":" .. (value == nil and "null" or codec.encode(value))
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local writers = {}

function writers.csv(each, names)
  io.stdout:write(show.csvLine(names, #names))
  for record in each do io.stdout:write(show.csvLine(valuesOf(record, names), #names)) end
end

function writers.jsonl(each, names)
  for record in each do io.stdout:write(objectText(record, names), "\n") end
end

function writers.json(each, names)
  local before = "["
  for record in each do
    io.stdout:write(before, objectText(record, names))
    before = ",\n"
  end
  io.stdout:write(before == "[" and "[]\n" or "]\n")
end

function writers.table(each, names)
  local rows = {}
  for record in each do rows[#rows + 1] = valuesOf(record, names) end
  local text, shortened = show.table(names, rows)
  io.stdout:write(text)
  io.stdout:flush()
  io.stderr:write(("%d record%s%s\n"):format(#rows, #rows == 1 and "" or "s",
    shortened and "; values are shortened: --fields FIELD,FIELD shows fewer columns" or ""))
end

local function write(args, session)
  local jsdo = datasession.JSDO { name = args.resource, session = session }
  local ref, schema = tableOf(jsdo, args.table)
  local names = fieldsOf(schema, args.fields)
  local nextPage = pages(jsdo, ref, args, optionsOf(args, jsdo.resource:operation "read"))
  local page, at = {}, 0
  local function each()
    at = at + 1
    while page and not page[at] do page, at = nextPage(), 1 end
    return page and page[at]
  end
  writers[args.csv and "csv" or args.jsonl and "jsonl" or args.json and "json" or "table"](each, names)
end

function read.read(args)
  local session, profile = connect.open(args)
  connect.loadCatalogs(args, session, profile)
  local ok, raised = pcall(write, args, session)
  connect.finish(args, session)
  if ok then return end
  if type(raised) == "string" then fail.with("usage", (raised:gsub("^[^ ]+:%d+: ", ""))) end
  error(raised, 0)
end

return read
