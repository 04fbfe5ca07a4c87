--- Configuration files with @NAMES@ in them.
local files = dofile "spec/support/files.lua"

local template = {}

--- The text of a file of servers/, each @NAME@ replaced by its value.
function template.text(name, values)
  return (files.read("spec/suites/field/servers/" .. name):gsub("@(%u+)@", function(key)
    return tostring(values[key] or error(("%s: nothing is known of @%s@"):format(name, key)))
  end))
end

function template.write(name, path, values)
  files.write(path, template.text(name, values))
end

return template
