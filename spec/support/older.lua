-- For busted under Lua 5.3 and LuaJIT (`--helper`): what the specs themselves use of Lua 5.4, and which of
-- them are skipped, with the reason. Runs nothing under 5.4.
if _VERSION >= "Lua 5.4" then return end

local skipped = dofile "spec/support/older_skipped.lua"

if rawget(_G, "jit") then require "compat53" end

local function read(path)
  local file, message = io.open(path, "rb")
  if not file then return nil, message end
  local text = file:read "*a"
  file:close()
  return text
end

local function escape(text) return (text:gsub("%p", "%%%0")) end

-- Specs of the table { file = { name = reason } } become pending ones.
local function skip(path, text)
  for name, reason in pairs(skipped[path:gsub("^%./", "")] or {}) do
    local count
    local pattern = "([^%w_])it(%s*%(?%s*)([\"'])" .. escape(name) .. "%3"
    text, count = text:gsub(pattern, function(before, between, quote)
      return ("%spending%s%s%s%s"):format(before, between, quote, name, quote)
    end)
    if count == 0 then error(("%s has no spec '%s', which is skipped: %s"):format(path, name, reason)) end
  end
  return text
end

-- Variables of an older Lua have no attributes; what closing them does is not what these specs test, or they
-- are skipped.
local function translate(path, text)
  text = text:gsub("^#[^\n]*", ""):gsub("(local%s+[%w_]+)%s+<%l+>", "%1")
  return skip(path, text)
end

local original = loadfile

local function loader(path, ...)
  if not path:find "^%.?/?spec/" and not path:find "^examples/" then return original(path, ...) end
  local text, message = read(path)
  if not text then return nil, message end
  return load(translate(path, text), "@" .. path, ...)
end

-- busted gives this file an environment of its own.
rawset(_G, "loadfile", loader)
rawset(_G, "dofile", function(path) return assert(loader(path))() end)
