-- Runs a script in a new interpreter, to observe what a spec cannot see from inside, such as warnings, the
-- end of the Lua state, and the exit status.
local files = dofile "spec/support/files.lua"
local quoted = dofile("spec/support/shell.lua").quoted

local older = rawget(_G, "older") -- spec/support/older_language.lua: this is Lua 5.3 or LuaJIT

local child = {
  LIMIT = 120, -- seconds after which a child that does not end is a failure
  variables = nil, -- more of the environment, as the command env takes it
}

-- The interpreter of this process.
function child.interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

local top = package.path:match "([^;]*)/lua/%?%.lua"

-- Variables for the environment of every child, as the command env takes them.
child.language = older and "LUA_INIT=@" .. quoted(top .. "/spec/support/older_language.lua") or ""

-- This interpreter, as a command of the shell.
function child.command() return ("env %s %s"):format(child.language, quoted(child.interpreter())) end

local running = {}
running.__index = running

-- Starts the script with these arguments.
function child.start(script, ...)
  local name = files.new(older and older.translate(script) or script)
  local lua = quoted(child.interpreter())
  local command = { "env", child.language, child.variables or "", "timeout -k 5", child.LIMIT, lua }
  command[#command + 1] = quoted(name)
  for _, argument in ipairs { ... } do command[#command + 1] = quoted(argument) end
  local pipe = assert(io.popen(table.concat(command, " ") .. " 2>&1"))
  return setmetatable({ pipe = pipe, name = name }, running)
end

-- The next line of its output, which it must flush.
function running:line()
  return self.pipe:read()
end

-- Waits for its end: { output = the rest of both streams, code = exit status, or signal = its name }.
function running:finish()
  local result = { output = self.pipe:read "a" }
  local _, how, code = self.pipe:close()
  os.remove(self.name)
  result[how == "exit" and "code" or "signal"] = code
  return result
end

function child.run(...)
  return child.start(...):finish()
end

-- The output of a child, which must exit with success.
function child.output(script, ...)
  local result = child.run(script, ...)
  if result.code ~= 0 then
    error(("the child ended with %s:\n%s"):format(result.code or "signal " .. result.signal, result.output),
      2)
  end
  return result.output
end

return child
