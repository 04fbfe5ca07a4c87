-- For busted under Lua 5.3 and LuaJIT (`--helper`): which specs are skipped, with the reason, and how many
-- may be. Runs nothing under 5.4.
if _VERSION >= "Lua 5.4" then return end

local older = dofile "spec/support/older_language.lua"
dofile "spec/support/helper.lua"

local busted = require "busted"

local MOST = 5 -- percent of the suite

local skipped = dofile "spec/support/older_skipped.lua"
local loaded = {}

local function escape(text) return (text:gsub("%p", "%%%0")) end

-- Specs of the table { file = { name = reason } } become pending ones.
function older.skip(path, text)
  path = path:gsub("^%./", "")
  loaded[path] = true
  for name, reason in pairs(skipped[path] or {}) do
    local count
    local pattern = "([^%w_])it(%s*%(?%s*)([\"'])" .. escape(name) .. "%3"
    text, count = text:gsub(pattern, function(before, between, quote)
      return ("%spending%s%s%s%s"):format(before, between, quote, name, quote)
    end)
    if count == 0 then error(("%s has no spec '%s', which is skipped: %s"):format(path, name, reason)) end
  end
  return text
end

local ran, pending = 0, 0

busted.subscribe({ "test", "end" }, function(_, _, status)
  ran = ran + 1
  if status == "pending" then pending = pending + 1 end
  return nil, true
end)

-- True if the run is of the whole suite: no argument names a part of it.
local function isWhole()
  for _, word in ipairs(arg) do
    if word:find "^spec/" or word:find "^%-%-filter" then return false end
  end
  return true
end

local function fail(message)
  io.stderr:write("older: ", message, "\n")
  os.exit(1, true)
end

busted.subscribe({ "suite", "end" }, function()
  local share = 100 * pending / ran
  print(("older: %d of %d specs are skipped: %.1f %%"):format(pending, ran, share))
  if not isWhole() then return nil, true end
  for path in pairs(skipped) do
    if not loaded[path] then fail(path .. ", of which specs are skipped, was not run") end
  end
  if share > MOST then fail(("more than %d %% of the specs are skipped"):format(MOST)) end
  return nil, true
end)
