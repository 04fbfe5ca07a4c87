--- Catalogs as a tree of lines.

local terminal = require "datasession.command.terminal"

local function typeOf(field)
  local type = field.ablType or field.type or "?"
  return field.maxItems and ("%s[%d]"):format(type, field.maxItems) or type
end

-- The entries below a node: its name, and a function that adds those below it.
local function branch(lines, indent, entries)
  for i, entry in ipairs(entries) do
    local last = i == #entries
    lines[#lines + 1] = indent .. (last and "└── " or "├── ") .. entry.text
    if entry.below then branch(lines, indent .. (last and "    " or "│   "), entry.below) end
  end
end

local function fieldsOf(one)
  local keys, entries = {}, {}
  for _, name in ipairs(one.primaryKey or {}) do keys[name] = true end
  for _, field in ipairs(one.fields) do
    local mark = keys[field.name] and " (key)" or ""
    entries[#entries + 1] = { text = field.name .. " " .. terminal.paint("dim", typeOf(field) .. mark) }
  end
  return entries
end

local function operationText(operation)
  local name = operation.name and " " .. operation.name or ""
  return ("%s%s %s"):format(terminal.paint("cyan", operation.type), name,
    terminal.paint("dim", operation.verb .. " " .. operation.uri))
end

local function resourceOf(resource)
  local entries = {}
  for _, operation in ipairs(resource.operations) do
    entries[#entries + 1] = { text = operationText(operation) }
  end
  for _, one in ipairs(resource.tables) do
    entries[#entries + 1] = { text = "table " .. one.name, below = fieldsOf(one) }
  end
  return { text = terminal.paint("bold", resource.name), below = entries }
end

return function(catalogs)
  local lines = {}
  for _, catalog in ipairs(catalogs) do
    for _, service in ipairs(catalog.services) do
      lines[#lines + 1] = ("%s %s"):format(terminal.paint("bold", service.name), service.uri)
      local entries = {}
      for _, resource in ipairs(service.resources) do entries[#entries + 1] = resourceOf(resource) end
      branch(lines, "", entries)
    end
  end
  return table.concat(lines, "\n") .. "\n"
end
