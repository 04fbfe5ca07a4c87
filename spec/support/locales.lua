--- Locales for specs; the system need not have them.
local files = dofile "spec/support/files.lua"
local shell = dofile "spec/support/shell.lua"

local locales = {}

--- Creates a directory with these locales, for a child's LOCPATH.
function locales.directory(...)
  local path = files.directory()
  for _, name in ipairs { ... } do
    -- A sanitizer's library would fail localedef for its leaks.
    shell.run("env", "-u", "LD_PRELOAD", "localedef", "-i", name:match "^[^.]+", "-f", "UTF-8",
      path .. "/" .. name)
  end
  return path
end

return locales
