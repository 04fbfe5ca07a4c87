-- docs/hosts.md: what it says is run is run by a target that exists, in CI by a line of .ci/run.
local files = dofile "spec/support/files.lua"

local HOW = "|%s*([^|]-)%s*|%s*$"

-- The last column of the table, with the row.
local function cells()
  local list, inside = {}, false
  for line in files.read("docs/hosts.md"):gmatch "[^\n]+" do
    if line:find("how it is known", 1, true) then
      inside = true
    elseif not line:find "^|" then
      inside = false
    elseif inside and not line:find "^| *%-" then
      list[#list + 1] = { row = line, how = line:match(HOW) }
    end
  end
  return list
end

local function makefiles()
  local texts = { files.read "Makefile" }
  for path in texts[1]:gmatch "[%w_/]+%.mk" do
    if files.exists(path) then texts[#texts + 1] = files.read(path) end
  end
  return table.concat(texts, "\n")
end

local function escaped(text) return (text:gsub("%W", "%%%0")) end

local function isTarget(text, name) return text:find("\n## " .. escaped(name) .. "[:, ]") ~= nil end

local function isInCI(name)
  for line in files.read(".ci/run"):gmatch "[^\n]+" do
    if line:find("make [^|]*%f[%w-]" .. escaped(name) .. "%f[^%w-]") then return true end
  end
  return false
end

describe("docs/hosts.md", function()
  it("tells of each host how it is known", function()
    local list = cells()
    assert.is_true(#list > 5)
    for _, cell in ipairs(list) do
      local known = cell.how == "read" or cell.how == "compiled" or
        cell.how:find "^run in CI by `make [%w-]+`$" or cell.how:find "^run by `make [%w-]+`$"
      assert(known, "neither run, compiled nor read: " .. cell.row)
    end
  end)

  it("names targets that exist, and in CI those that .ci/run has", function()
    local text = makefiles()
    for _, cell in ipairs(cells()) do
      local target = cell.how:match "`make ([%w-]+)`"
      assert(not target or isTarget(text, target), "there is no such target: " .. cell.row)
      assert(not cell.how:find "in CI" or isInCI(target), ".ci/run does not run it: " .. cell.row)
    end
  end)

  it("lists the reasons for which specs are not run under wine", function()
    local skipped, reasons = dofile "spec/suites/windows/skipped.lua", {}
    for _, row in ipairs(skipped.specs) do reasons[row[3]] = true end
    for _, list in ipairs { skipped.modules, skipped.files } do
      for _, reason in pairs(list) do reasons[reason] = true end
    end
    local section = files.read("docs/hosts.md"):match "### What is not run there\n(.*)"
    local listed = {}
    for reason in section:gmatch "\n%- ([^\n]*)[;.]%f[\n]" do listed[reason] = true end
    assert.same(reasons, listed)
  end)
end)
