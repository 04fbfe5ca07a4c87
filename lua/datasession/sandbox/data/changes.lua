--- Changes with before-image: deletes, then creates and updates, row by row; errors of a row are sent beside
-- the row. Children are deleted before their parents, and parents are created before their children, which
-- get the key that the server gave to the parent.
local json = require "datasession.sandbox.json"
local shape = require "datasession.sandbox.data.shape"

local changes = {}

local MARKS = { "prods:id", "prods:clientId", "prods:rowState" }

local function rowsOf(container, definition)
  return container and container[definition.name] or {}
end

local function byId(rows)
  local found = {}
  for _, row in ipairs(rows) do
    if shape.checkRow(row)["prods:id"] then found[row["prods:id"]] = row end
  end
  return found
end

-- ---- one row

-- Marks a row that was refused, and notes down why.
local function refuse(result, row, reason, answer)
  local how = reason.how or "both"
  result["prods:id"] = row["prods:id"] or row["prods:clientId"] or "row" .. answer.refused + 1
  answer.refused = answer.refused + 1
  if how ~= "error" then result["prods:rejected"] = true end
  if how == "rejected" then return end
  result["prods:hasErrors"] = true
  table.insert(answer.errors, { ["prods:id"] = result["prods:id"], ["prods:error"] = reason.message })
end

-- Runs the change `method` of a row and returns the row of the answer.
local function apply(store, method, row, before, answer)
  local ok, record = pcall(store[method], store, row, before)
  if not ok and type(record) ~= "table" then error(record, 0) end
  local result = shape.copy(ok and record or row)
  for _, name in ipairs(MARKS) do result[name] = row[name] end
  if not ok then refuse(result, row, record, answer) end
  return result, ok and record
end

-- The row of a new child with the key that its new parent got.
local function adopt(definition, row, keys)
  local parent = definition.parent
  local key = parent and keys[parent.table] and keys[parent.table][row[parent.field]]
  if not key then return row end
  local copy = shape.copy(row)
  copy[parent.field] = key
  return copy
end

local function create(store, row, answer, keys)
  local definition = store.definition
  local result, record = apply(store, "create", adopt(definition, row, keys), nil, answer)
  local sent = row[definition.key]
  if record and sent ~= nil then
    keys[definition.name] = keys[definition.name] or {}
    keys[definition.name][sent] = definition.keyOf(record)
  end
  return result
end

-- ---- a body

local function newAnswer()
  return { rows = {}, before = {}, errors = {}, refused = 0 }
end

local function applyDeletes(database, resource, body, answers)
  for i = #resource.tables, 1, -1 do
    local definition = resource.tables[i]
    local answer = answers[definition.name]
    for _, row in ipairs(rowsOf(body["prods:before"], definition)) do
      if shape.checkRow(row)["prods:rowState"] == "deleted" then
        local result = apply(database:table(definition.name), "delete", row, row, answer)
        table.insert(answer.before, result)
      end
    end
  end
end

local function applyRows(database, definition, body, answer, keys)
  local store, old = database:table(definition.name), byId(rowsOf(body["prods:before"], definition))
  for _, row in ipairs(rowsOf(body, definition)) do
    local state = shape.checkRow(row)["prods:rowState"]
    if state == "created" then
      table.insert(answer.rows, create(store, row, answer, keys))
    elseif state == "modified" then
      table.insert(answer.rows, (apply(store, "update", row, old[row["prods:id"]], answer)))
    end
  end
end

-- The lists of one kind by table, without the empty ones; nil when all are.
local function collect(resource, answers, kind)
  local found
  for _, definition in ipairs(resource.tables) do
    local list = answers[definition.name][kind]
    if #list > 0 then
      found = found or {}
      found[definition.name] = list
    end
  end
  return found
end

local function write(resource, answers)
  local members = { { "prods:hasChanges", true } }
  local errors = collect(resource, answers, "errors")
  if errors then members[2] = { "prods:hasErrors", true } end
  for _, definition in ipairs(resource.tables) do
    members[#members + 1] = { definition.name, json.list(answers[definition.name].rows) }
  end
  local before = collect(resource, answers, "before")
  if before then members[#members + 1] = { "prods:before", before } end
  if errors then members[#members + 1] = { "prods:errors", errors } end
  return json.ordered(members)
end

--- Applies the dataset of a body and returns the dataset of the answer.
function changes.apply(database, resource, body)
  local answers, keys = {}, {}
  for _, definition in ipairs(resource.tables) do answers[definition.name] = newAnswer() end
  applyDeletes(database, resource, body, answers)
  for _, definition in ipairs(resource.tables) do
    applyRows(database, definition, body, answers[definition.name], keys)
  end
  return write(resource, answers)
end

return changes
