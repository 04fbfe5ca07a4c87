-- site.lua SOURCE: writes the site's pages for MkDocs into the folder SOURCE: docs/, and, as pages too, the
-- files outside of docs/ that its pages link to.
-- site.lua --search SITE: writes SITE/search/offline.js, for the search in pages that are opened as files.

local sources = dofile "tools/sources.lua"

local target = assert(arg[#arg], "usage: site.lua [--search] FOLDER")

local function write(path, text)
  assert(os.execute(("mkdir -p '%s'"):format(path:match "^(.*)/")))
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

-- The page of a file outside of docs/: examples/export.lua is examples/export.lua.md.
local function pageOf(path) return path:find "%.md$" and "project/" .. path or path .. ".md" end

local outside = {}

-- Links that leave docs/, from a page `depth` folders below it.
local function localized(text, depth)
  return (text:gsub("%]%((" .. ("%.%./"):rep(depth + 1) .. ")([%w_./-]+)", function(_, path)
    outside[path] = true
    return "](" .. ("../"):rep(depth) .. pageOf(path)
  end))
end

local function copyPages()
  for _, path in ipairs(sources.find "docs -type f") do
    local name = path:match "^docs/(.*)$"
    local text = sources.read(path)
    if name:find "%.md$" then
      local _, depth = name:gsub("/", "")
      text = localized(text, depth):gsub("```lua run\n", "```lua\n")
    end
    write(target .. "/" .. name, text)
  end
end

-- Links of a file in the top folder, whose page is one folder below the site's.
local function ofTop(text)
  return (text:gsub("%]%(([%w_][%w_./-]*)", function(path)
    if path:find "^https?" then return nil end
    local inside = path:match "^docs/(.*)$"
    if not inside then outside[path] = outside[path] or true end
    return "](../" .. (inside or pageOf(path))
  end))
end

local function addOutside()
  local path
  repeat
    path = nil
    for one, waits in pairs(outside) do path = waits == true and one or path end
    if path then
      local text = sources.read(path)
      local page = path:find "%.lua$" and ("# %s\n\n```lua\n%s```\n"):format(path, text) or
        ofTop(text):gsub("```lua run\n", "```lua\n")
      write(target .. "/" .. pageOf(path), page)
      outside[path] = "done"
    end
  until not path
end

local function quoted(text)
  return '"' .. text:gsub('[%c\\"<]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

-- Material's script takes the index and the worker of the search from the variable __search if there is one.
local OFFLINE = [[
var __search = {
  index: Promise.resolve(%s),
  worker: URL.createObjectURL(new Blob([%s], { type: "text/javascript" }))
};
]]

local function addSearch()
  local worker = sources.find(target .. "/assets/javascripts/workers -name 'search.*.js'")[1]
  local index = sources.read(target .. "/search/search_index.json")
  write(target .. "/search/offline.js", OFFLINE:format(index, quoted(sources.read(worker))))
end

if arg[1] == "--search" then
  addSearch()
else
  assert(os.execute(("rm -rf '%s'"):format(target)))
  copyPages()
  addOutside()
end
