--- Files by paths in UTF-8. Lua's own libraries take them everywhere but on Windows, where a path is in the
-- code page and a file is not renamed to one that exists.

local core = require "datasession.core"

local files = {}

function files.open(path, mode) return io.open(path, mode) end

function files.remove(path) return os.remove(path) end

--- Renames a file. The other one may exist.
function files.replace(from, to) return os.rename(from, to) end

if core.localPath then -- on Windows
  function files.open(path, mode)
    path = path:gsub("^/(%a:)", "%1") -- of file:///C:/catalog.json
    return io.open(core.localPath(path, mode), mode)
  end

  files.remove, files.replace = core.deleteFile, core.replaceFile
end

return files
