-- release.lua version: prints the version, which csrc/net/version.h says.
-- release.lua rockspecs DIR: writes the release's rockspecs into DIR, of those of the work tree.
-- release.lua debian DIR: fills in DIR/control and DIR/copyright, and writes DIR/changelog.

local sources = dofile "tools/sources.lua"

local CLIENT, SANDBOX = "datasession-scm-1.rockspec", "packaging/datasession-sandbox-scm-1.rockspec"

local version = assert(sources.read "csrc/net/version.h":match '#define DATASESSION_VERSION "([^"]+)"')

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

-- gsub that must find what it replaces.
local function replaced(text, pattern, by)
  local new, count = text:gsub(pattern, by)
  return count > 0 and new or error("there is no " .. pattern)
end

local function write_rockspec(path, directory)
  local text = sources.read(path)
  -- The comment between the two is about the work tree.
  text = replaced(text, 'version = "scm%-1"\n.-(source = {[^\n]-) }',
    ('version = "%s-1"\n\n%%1, tag = "v%s" }'):format(version, version))
  text = text:gsub('"datasession"(, "lpeg")', ('"datasession == %s"%%1'):format(version))
  write(("%s/%s"):format(directory, path:match "[^/]*$":gsub("scm", version)), text)
end

local function description()
  local rockspec = {}
  assert(load(sources.read(CLIENT), CLIENT, "t", rockspec))()
  return rockspec.description
end

-- The day of the release, from its heading in CHANGELOG.md.
local function day()
  local heading = "\n## " .. version:gsub("%p", "%%%0") .. " %((%d+)%-(%d+)%-(%d+)%)\n"
  local year, month, date = sources.read "CHANGELOG.md":match(heading)
  if not year then error(("CHANGELOG.md has no heading '## %s (YEAR-MONTH-DAY)'"):format(version), 0) end
  return os.time { year = year, month = month, day = date, hour = 12 }
end

local function write_debian(directory)
  local about = description()
  local values = { HOMEPAGE = about.homepage, MAINTAINER = about.maintainer, VERSION = version }
  for _, name in ipairs { "control", "copyright" } do
    local path = directory .. "/" .. name
    write(path, (sources.read(path):gsub("@(%u+)@", values)))
  end
  write(directory .. "/changelog", ([[
datasession (%s-1) unstable; urgency=medium

  * Release %s. The file changelog.gz says what is new.

 -- %s  %s
]]):format(version, version, about.maintainer, os.date("!%a, %d %b %Y %H:%M:%S +0000", day())))
end

local command, directory = arg[1], arg[2]
if command == "version" then
  print(version)
elseif command == "rockspecs" and directory then
  write_rockspec(CLIENT, directory)
  write_rockspec(SANDBOX, directory)
elseif command == "debian" and directory then
  write_debian(directory)
else
  error("usage: release.lua version | rockspecs DIR | debian DIR", 0)
end
