--- Servers that mean harm, with more patience and more bytes than spec/suites/hostile/hostile_spec.lua has.
-- usage: lua spec/suites/hostile/more.lua [seed]
local catalog = require "datasession.catalog"
local codec = require "datasession.internal.codec"
local datasession = require "datasession"
local fault_server = require "fault_server"

local memory, places = dofile "spec/suites/hostile/memory.lua", dofile "spec/suites/hostile/places.lua"
local systems = dofile "spec/suites/hostile/systems.lua"

local LIMIT, MIB, ROUNDS = 120, 1 << 20, 2000
local seed = tonumber(arg[1]) or os.time()
local evil = assert(fault_server.start())
local origin = "http://127.0.0.1:" .. evil:port()
local cases, failed = 0, 0

local function show(name, holds, detail)
  print(("%-4s %s: %s"):format(holds and "ok" or "FAIL", name, detail))
end

local function check(name, holds, detail)
  cases = cases + 1
  if not holds then failed = failed + 1 end
  show(name, holds, detail)
end

-- The same of so many cases, of which some were wrong.
local function tally(name, count, wrong)
  cases, failed = cases + count, failed + wrong
  show(name, wrong == 0 and count > 0, ("%d wrong of %d"):format(wrong, count))
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

-- A session, in C, must read a text as the parser does, in Lua.
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
  local good, wrong, count = assert(codec.encode(places.good())), 0, 0
  for i = 1, #good do
    count = count + 7
    for _, byte in ipairs { "\0", '"', "[", "}", "9", "\xff" } do
      local fine, why = agrees(good:sub(1, i - 1) .. byte .. good:sub(i + 1))
      if not fine then
        wrong = wrong + 1
        print(("  byte %d as %q: %s"):format(i, byte, why))
      end
    end
    if not agrees(good:sub(1, i)) then wrong = wrong + 1 end
  end
  tally("a catalog broken at every byte", count, wrong)
end

local function tryPlaces()
  local texts, wrong = {}, 0
  places.each(function(text) texts[#texts + 1] = text end)
  for _, text in ipairs(texts) do
    if not agrees(text) then wrong = wrong + 1 end
  end
  tally("a catalog wrong at every place", #texts, wrong)
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
  tally(("catalogs of pieces (seed %d)"):format(seed), ROUNDS, wrong)
end

local function tryLarge()
  local text = places.large(600000)
  evil:fault("GET /App/catalog.json", answer("", text))
  local session, started = victim { maxResponseSize = 64 * MIB }, os.clock()
  local growth, _, ok, err = memory.growth(function() return session:addCatalog("catalog.json"):await(LIMIT)
    end)
  check(("a catalog of %d MiB"):format(#text // MIB), ok and growth < 12 * #text,
    ("%d MiB, %.1f s, %s"):format(growth // MIB, os.clock() - started, tostring(err)))
end

local function goodText(subject)
  return type(subject.good) == "string" and subject.good or assert(codec.encode(subject.good()))
end

-- Each message of the other systems, wrong at every place, then broken at every byte.
local function trySystems()
  systems.serve(evil)
  for _, subject in ipairs(systems.subjects) do
    local count, list = systems.try(evil, origin, subject, 1)
    local good, wrong = goodText(subject), #list
    for _, what in ipairs(list) do print("  " .. what) end
    local function try(text)
      local _, what = systems.tryText(evil, origin, subject, text)
      count = count + 1
      if not what then return end
      wrong = wrong + 1
      print("  " .. what)
    end
    for i = 1, #good do
      for _, byte in ipairs { "\0", '"', "[", "}", "9", "\xff", "<", ">", "&", "/" } do
        try(good:sub(1, i - 1) .. byte .. good:sub(i + 1))
      end
      try(good:sub(1, i))
    end
    tally(subject.name, count, wrong)
  end
end

local WIDE = {
  ["empty elements"] = { "<r>", "<a/>", "</r>" },
  ["a text in pieces"] = { "<r><a>", "ab<!-- -->", "</a></r>" },
  ["large pieces"] = { "<r><a>", ("x"):rep(4096) .. "<!-- -->", "</a></r>" },
  entities = { "<r><a>", "&lt;", "</a></r>" }, ["open entities"] = { "<r><a>", "&#1", "</a></r>" },
  ["hidden inputs"] = { "", '<input type="hidden" name="a" value="b">', "" }, brackets = { "", "<", "" },
  ["open comments"] = { "<r>", "<!--", "" }, ["open scripts"] = { "", "<script>", "" },
  ["open attributes"] = { "", '<a "', "" }, ["nested elements"] = { "", "<a>", "" },
  ["a list"] = { '{"result":[', '"a",', "0]}" }, ["nested lists"] = { "", "[", "" },
  ["nested objects"] = { '{"result":', '{"a":', "1" }, ["escapes"] = { '{"error":"', "\\u0000", '"}' },
  ["codes"] = { "", "CSS0", "" },
}

-- The processor time of a message of so many bytes; or nil and what is wrong.
local function timeOf(subject, parts, size)
  local text = parts[1] .. parts[2]:rep(size // #parts[2]) .. parts[3]
  local started = os.clock()
  local _, what = systems.tryText(evil, origin, subject, text)
  return not what and os.clock() - started, what
end

-- A text eight times as long takes about eight times as long to read, not sixty-four times.
local function tryWide()
  for _, subject in ipairs(systems.subjects) do
    local count, wrong = 0, 0
    for name, parts in pairs(WIDE) do
      local short, what = timeOf(subject, parts, 2 * MIB)
      local long
      if short then long, what = timeOf(subject, parts, 16 * MIB) end
      count = count + 1
      if not long or long > 0.5 and long > 30 * short then
        wrong = wrong + 1
        print(("  %s: %s"):format(name, what or ("%.2f s, then %.2f s"):format(short, long)))
      end
    end
    tally("large messages: " .. subject.name, count, wrong)
  end
end

tryBombs()
tryCookies()
tryPlaces()
tryBytes()
tryRandom()
tryLarge()
trySystems()
tryWide()
evil:close()
print(("hostile: %d cases, %d failed"):format(cases, failed))
os.exit(failed == 0 and cases > 0, true)
