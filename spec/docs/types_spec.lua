-- types/datasession.lua: definitions for editors, beside the public names of the live objects.
local child = dofile "spec/support/child.lua"
local files = dofile "spec/support/files.lua"

local CLASSES = {
  session = "Session", promise = "Promise", response = "Response", err = "Error", provider = "Provider",
  jsdo = "JSDO", record = "Record", catalog = "Catalog", service = "Service", resource = "Resource",
  table = "Table", field = "Field", operation = "Operation", engine = "Engine", server = "SandboxServer",
  link = "Link", channel = "Channel",
}

-- The members of each class, and the functions, as the file has them.
local function definitions(text)
  local members, functions, class = {}, {}, nil
  for line in text:gmatch "[^\n]+" do
    class = line:match "^%-%-%-@class ([%w._]+)" or class
    local name = line:match "^%-%-%-@field ([%w_]+)"
    if name then members[class .. "." .. name] = true end
    local called = line:match "^function ([%w_.:]+)%("
    if called then functions[called] = true end
  end
  return members, functions
end

describe("types/datasession.lua", function()
  local text = files.read "types/datasession.lua"
  local members, functions = definitions(text)

  it("is Lua, and is what docs/ says", function()
    assert(load(text, "types"))
    child.output('arg = {} dofile "tools/types.lua"')
  end)

  it("has every public name", function()
    local names = child.output [[for name in pairs(dofile "tools/public.lua") do print(name) end]]
    local count = 0
    for line in names:gmatch "[^\n]+" do
      local owner, option = line:match "^option (%S+) (%S+)$"
      local object, mark, name = line:match "^(%a+)([.:])([%w_]+)$"
      if owner then
        count = count + 1
        assert(members["datasession.options." .. owner:gsub("[.:]", "_") .. "." .. option], line)
      elseif object then
        count = count + 1
        assert(functions[(CLASSES[object] or object) .. mark .. name] or
          members["datasession." .. (CLASSES[object] or object) .. "." .. name], line)
      elseif line:find "^event " then
        count = count + 1
        assert.matches('"' .. line:sub(7) .. '"', text, 1, true)
      end
    end
    assert.is_true(count > 500, names)
  end)

  it("gives functions their options", function()
    assert.matches("---@param options datasession.options.session_request\n", text, 1, true)
    assert.matches("---@field timeout? number", text, 1, true)
    assert.matches("---@field serviceURI string", text, 1, true)
  end)
end)
