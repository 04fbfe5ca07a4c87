--- Servers that mean harm, with more patience and more bytes than spec/hostile_spec.lua has.
-- usage: lua torture/hostile.lua [seed]
local catalog = require "datasession.catalog"
local codec = require "datasession.codec"
local datasession = require "datasession"
local fault_server = require "fault_server"

local memory, places = dofile "spec/hostile/memory.lua", dofile "spec/hostile/places.lua"

local LIMIT, MIB, ROUNDS = 120, 1 << 20, 2000
local seed = tonumber(arg[1]) or os.time()
local evil = assert(fault_server.start())
local origin = "http://127.0.0.1:" .. evil:port()
local passed, failed = 0, 0

local function check(name, holds, detail)
  if holds then
    passed = passed + 1
  else
    failed = failed + 1
  end
  print(("%-4s %s%s"):format(holds and "ok" or "FAIL", name, detail and ": " .. detail or ""))
end

local function answer(headers, body)
  return { ("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n"):format(headers, #body), body }
end

local function victim(options)
  options = options or {}
  options.serviceURI, options.proxy = origin .. "/App", false
  return datasession.new(options)
end

local function shell(command)
  local pipe = assert(io.popen(command))
  return pipe:read "a", pipe:close()
end

local function tryBombs()
  for times = 1, 3 do
    local encoding, command = ("gzip, "):rep(times - 1) .. "gzip", ("gzip | "):rep(times - 1) .. "gzip"
    local body = shell("head -c 1G /dev/zero | " .. command)
    evil:fault("GET /App/data", answer("Content-Encoding: " .. encoding .. "\r\n", body))
    local growth, _, value, err = memory.growth(function()
      return victim():request { path = "/data" }:await(LIMIT)
    end)
    check("a gibibyte in " .. encoding, not value and err.kind == "protocol" and growth < 160 * MIB,
      ("%d bytes, %d MiB, %s"):format(#body, growth // MIB, tostring(err)))
  end
end

local function tryCookies()
  local session, lines = victim(), {}
  local growth = memory.growth(function()
    for block = 1, 100 do
      for i = 1, 1000 do lines[i] = ("Set-Cookie: c%d=%s\r\n"):format(block * 1000 + i, ("v"):rep(200)) end
      evil:fault("GET /App/data", answer(table.concat(lines), ""))
      session:request { path = "/data" }:await(LIMIT)
    end
  end)
  check("100,000 cookies", growth < 16 * MIB, growth // MIB .. " MiB")
end

-- What a session makes of a text, in C, must be what the parser makes of it, in Lua.
local function agrees(text)
  local made, message = catalog.parse(text)
  evil:fault("GET /App/catalog.json", answer("", text))
  local session = victim { maxResponseSize = 64 * MIB }
  local ok, err = session:addCatalog("catalog.json"):await(LIMIT)
  session:invalidate():await(LIMIT)
  if (made ~= nil) ~= (ok ~= nil) then return false, tostring(message) .. " / " .. tostring(err) end
  return made or not (message .. tostring(err)):find "%c", message
end

local function tryBytes()
  local good, wrong = assert(codec.encode(places.good())), 0
  for i = 1, #good do
    for _, byte in ipairs { "\0", '"', "[", "}", "9", "\xff" } do
      local fine, why = agrees(good:sub(1, i - 1) .. byte .. good:sub(i + 1))
      if not fine then
        wrong = wrong + 1
        print(("  byte %d as %q: %s"):format(i, byte, why))
      end
    end
    if not agrees(good:sub(1, i)) then wrong = wrong + 1 end
  end
  check("a catalog broken at every byte", wrong == 0, wrong .. " wrong")
end

local function tryPlaces()
  local texts, wrong = {}, 0
  places.each(function(text) texts[#texts + 1] = text end)
  for _, text in ipairs(texts) do
    if not agrees(text) then wrong = wrong + 1 end
  end
  check("a catalog wrong at every place", wrong == 0, wrong .. " wrong of " .. #texts)
end

-- Pieces of good and bad texts in any order.
local function tryRandom()
  math.randomseed(seed)
  local good, wrong = assert(codec.encode(places.good())), 0
  for _ = 1, ROUNDS do
    local parts = {}
    for i = 1, math.random(2, 4) do
      local from = math.random(#good)
      parts[i] = good:sub(from, math.min(#good, from + math.random(400)))
    end
    parts[#parts + 1] = good
    if not agrees(table.concat(parts, "", math.random(#parts))) then wrong = wrong + 1 end
  end
  check(("catalogs of pieces (seed %d)"):format(seed), wrong == 0, wrong .. " wrong")
end

local function tryLarge()
  local text = places.large(600000)
  evil:fault("GET /App/catalog.json", answer("", text))
  local session, started = victim { maxResponseSize = 64 * MIB }, os.clock()
  local growth, _, ok, err = memory.growth(function() return session:addCatalog("catalog.json"):await(LIMIT) end)
  check(("a catalog of %d MiB"):format(#text // MIB), ok and growth < 12 * #text,
    ("%d MiB, %.1f s, %s"):format(growth // MIB, os.clock() - started, tostring(err)))
end

tryBombs()
tryCookies()
tryPlaces()
tryBytes()
tryRandom()
tryLarge()
evil:close()
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
