-- docs/vendors.md: each sentence has a spec that exists, or the reason why it cannot be known here.
local files = dofile "spec/support/files.lua"

local page = files.read "docs/vendors.md"

-- The items of the lists, each with its line.
local function sentences()
  local list, number, current = {}, 0, nil
  for line in page:gmatch "([^\n]*)\n" do
    number = number + 1
    if line:sub(1, 2) == "- " then
      current = { line = number, text = line }
      list[#list + 1] = current
    elseif line:sub(1, 2) == "  " and current then
      current.text = current.text .. "\n" .. line
    else
      current = nil
    end
  end
  return list
end

local sources = {}

-- A title is the beginning of a literal of the spec: some are joined of several.
local function has(path, title)
  if not files.exists(path) then return false end
  sources[path] = sources[path] or files.read(path)
  return sources[path]:find('"' .. title, 1, true) ~= nil
end

local function isDifference(item)
  return files.read("docs/differences.md"):find("- **" .. item .. "**", 1, true) ~= nil
end

-- A message about a sentence of the page; nil: it is held by what exists.
local function problem(text)
  local specs = 0
  for path, title in text:gmatch "`(spec/[%w_/]+%.lua)`:%s+`([^`]+)`" do
    specs = specs + 1
    if not has(path, title) then return ("%s has no '%s'"):format(path, title) end
  end
  local _, paths = text:gsub("`spec/", "")
  local differs = text:match "Differs: (%b[])"
  if paths > specs then
    return "a path of a spec without a title"
  elseif differs and not isDifference(differs:sub(2, -2)) then
    return differs .. " is no difference"
  elseif specs == 0 and not text:find("Unknowable: %S") then
    return "neither a spec nor a reason"
  end
end

describe("docs/vendors.md", function()
  it("names a spec that exists, or a reason, for each sentence", function()
    local list = sentences()
    assert.is_true(#list > 100)
    for _, sentence in ipairs(list) do
      local message = problem(sentence.text)
      assert.is_nil(message, ("line %d: %s"):format(sentence.line, message))
    end
  end)

  it("is checked by a spec that sees what is missing", function()
    assert.matches("neither", problem "- A sentence.")
    assert.matches("neither", problem "- A sentence.\n  Unknowable:\n")
    assert.matches("without a title", problem "- A sentence.\n  `spec/docs/vendors_spec.lua`:")
    assert.matches("has no 'none'", problem "- A sentence.\n  `spec/docs/vendors_spec.lua`: `none`")
    assert.matches("has no 'x'", problem "- A sentence.\n  `spec/docs/other_spec.lua`: `x`")
    assert.matches("no difference", problem "- A sentence.\n  Differs: [D0](differences.md).")
  end)
end)
