-- picture.lua [--write]: fails unless docs/internals/floors.svg is the picture of what tools/floors.lua reads
-- from the sources. --write draws it. Each folder stands one floor above the highest of those that it uses,
-- so a circle has no picture.

local PICTURE = "docs/internals/floors.svg"
local WIDTH, MARGIN, BOX_HEIGHT, FLOOR_HEIGHT = 900, 20, 44, 104

local CAPTIONS = {
  net = "HTTP over libcurl; no Lua, no sessions",
  runtime = "loop, promises, coroutines, errors, options",
  session = "state, verbs, requests, events, reconnecting",
  catalog = "catalogs",
  store = "kept sessions",
  protocol = "the list of protocols",
  module = "csrc/module.c registers all",
  host = "functions for programs in C",
}

-- uses[FROM] = { TO = true }; names in order.
local function read_arrows()
  local uses, names = {}, {}
  local function node(name)
    if not uses[name] then uses[name], names[#names + 1] = {}, name end
  end
  local floors = assert(io.popen((os.getenv "LUA" or "lua5.4") .. " tools/floors.lua --arrows"))
  for line in floors:lines() do
    local from, to = line:match "^(%S+) (%S+)$"
    node(from)
    node(to)
    uses[from][to] = true
  end
  assert(floors:close(), "tools/floors.lua failed")
  table.sort(names)
  return uses, names
end

local function floor_of(uses, name, floors, path)
  assert(not path[name], "a circle: the folder " .. name .. " uses itself by way of others")
  if floors[name] then return floors[name] end
  path[name] = true
  local highest = -1
  for used in pairs(uses[name]) do highest = math.max(highest, floor_of(uses, used, floors, path)) end
  path[name] = nil
  floors[name] = highest + 1
  return floors[name]
end

local function reaches(uses, from, to)
  if from == to then return true end
  for used in pairs(uses[from]) do
    if reaches(uses, used, to) then return true end
  end
  return false
end

-- True if the arrow says nothing that the others leave open: FROM reaches TO by another folder.
local function is_implied(uses, from, to)
  for used in pairs(uses[from]) do
    if used ~= to and reaches(uses, used, to) then return true end
  end
  return false
end

-- The boxes, each { x, y, width } by its folder's name: one row a floor, the lowest at the bottom.
local function place(uses, names)
  local floors, rows, boxes = {}, {}, {}
  for _, name in ipairs(names) do
    local floor = floor_of(uses, name, floors, {})
    rows[floor] = rows[floor] or {}
    table.insert(rows[floor], name)
  end
  for floor = 0, #rows do
    local count = #rows[floor]
    local slot = (WIDTH - 2 * MARGIN) / count
    for i, name in ipairs(rows[floor]) do
      local width = math.min(slot - 12, math.max(110, 6.5 * #(CAPTIONS[name] or "") + 24))
      boxes[name] = { x = MARGIN + (i - 0.5) * slot - width / 2, width = width,
        y = MARGIN + (#rows - floor) * FLOOR_HEIGHT }
    end
  end
  return boxes, 2 * MARGIN + #rows * FLOOR_HEIGHT + BOX_HEIGHT
end

local function draw_box(lines, name, box)
  local middle, caption, title = box.x + box.width / 2, CAPTIONS[name], name
  local folder, service = name:match "^(.*)/(.*)$"
  if folder then title, caption = service, folder end
  local function add(...) lines[#lines + 1] = string.format(...) end
  add('<rect x="%.1f" y="%d" width="%.1f" height="%d" rx="4" fill="#eef3f8" stroke="#456"/>', box.x, box.y,
    box.width,
    BOX_HEIGHT)
  add('<text x="%.1f" y="%d" font-weight="bold">%s</text>', middle, box.y + (caption and 18 or 27), title)
  if caption then add('<text x="%.1f" y="%d" font-size="11">%s</text>', middle, box.y + 35, caption) end
end

-- An arrow goes from the bottom of its folder's box to the top of the other's, and so never up.
local function draw_arrow(lines, from, to)
  assert(from.y + BOX_HEIGHT < to.y, "an arrow goes up")
  local x1, x2 = from.x + from.width / 2, to.x + to.width / 2
  local reach = to.width / 2 - 20
  local x = math.max(x2 - reach, math.min(x2 + reach, x1))
  lines[#lines + 1] = ('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#456" marker-end="url(#head)"/>')
    :format(x1, from.y + BOX_HEIGHT, x, to.y - 2)
end

local function draw()
  local uses, names = read_arrows()
  local boxes, height = place(uses, names)
  local lines = {
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13"')
      :format(WIDTH, height),
    '  text-anchor="middle">',
    "<title>The folders of csrc and what they use</title>",
    '<defs><marker id="head" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto">',
    '<path d="M0,0 L9,4 L0,8 z" fill="#456"/></marker></defs>',
    '<rect width="100%" height="100%" fill="white"/>',
  }
  for _, from in ipairs(names) do
    for _, to in ipairs(names) do
      if uses[from][to] and not is_implied(uses, from, to) then draw_arrow(lines, boxes[from], boxes[to]) end
    end
  end
  for _, name in ipairs(names) do draw_box(lines, name, boxes[name]) end
  lines[#lines + 1] = "</svg>\n"
  return table.concat(lines, "\n")
end

local picture = draw()
if arg[1] == "--write" then
  local file = assert(io.open(PICTURE, "w"))
  file:write(picture)
  assert(file:close())
  return
end
local file = io.open(PICTURE)
local present = file and file:read "a"
if present ~= picture then
  io.stderr:write(PICTURE, " does not show the folders that there are: make picture\n")
  os.exit(false)
end
