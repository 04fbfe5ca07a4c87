--- Catalogs as Markdown.

local plain = require "datasession.command.tree.plain"

local function cell(text) return (tostring(text or ""):gsub("|", "\\|"):gsub("[\r\n]", " ")) end

local function add(lines, ...) lines[#lines + 1] = string.format(...) end

local function addOperations(lines, operations)
  add(lines, "| operation | verb | URI |\n| --- | --- | --- |")
  for _, one in ipairs(operations) do
    local name = one.name and one.type .. " " .. one.name or one.type
    add(lines, "| %s | %s | `%s` |", cell(name), one.verb, cell(one.uri))
  end
  add(lines, "")
end

local function addFields(lines, one)
  local keys = {}
  for _, name in ipairs(one.primaryKey) do keys[name] = true end
  if one.name ~= "" then add(lines, "Table `%s`:\n", one.name) end
  add(lines, "| field | type | ABL type | key |\n| --- | --- | --- | --- |")
  for _, field in ipairs(one.fields) do
    add(lines, "| `%s` | %s | %s | %s |", cell(field.name), cell(field.type), cell(field.ablType),
      keys[field.name] and "yes" or "")
  end
  add(lines, "")
end

return function(catalogs)
  local lines = {}
  for _, service in ipairs(plain.services(catalogs)) do
    add(lines, "# %s\n\n%s\n", service.name, service.uri)
    for _, resource in ipairs(service.resources) do
      add(lines, "## %s\n", resource.name)
      addOperations(lines, resource.operations)
      for _, one in ipairs(resource.tables) do addFields(lines, one) end
    end
  end
  return table.concat(lines, "\n")
end
