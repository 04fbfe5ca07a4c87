-- The table of docs/luas.md, in the Lua that runs this.
local datasession = require "datasession"
local codec = require "datasession.internal.codec"
local ids = require "datasession.internal.data.ids"
local lua = require "datasession.internal.lua"

local await = dofile "spec/support/await.lua"
local child = dofile "spec/support/child.lua"

local isJit = rawget(_G, "jit") ~= nil
local closes = _VERSION >= "Lua 5.4"

describe("under any Lua", function()
  it("integers of JSON are exact as far as the language has them", function()
    assert.equal(9007199254740991, codec.decode("[9007199254740991]")[1])
    assert.equal("[9007199254740991]", codec.encode { 2 ^ 53 - 1 >= 1 and lua.math.tointeger(2 ^ 53 - 1) })
    local large = codec.decode("[9223372036854775807]")[1]
    assert.equal(isJit and "9.2233720368548e+18" or "9223372036854775807", tostring(large))
    assert.equal(isJit and "float" or "integer", lua.math.type(large))
  end)

  it("integers up to 2^53 have all their digits in texts", function()
    local digits = "1234567890123456"
    local number = tonumber(digits)
    assert.equal(digits, lua.tostring(number))
    assert.equal(digits, ids.text(number))
    assert.same({ "0.5", "true" }, { lua.tostring(0.5), lua.tostring(true) })
  end)

  it("await suspends in pcall in spawn", function()
    local resolve
    local promise = datasession.promise(function(f) resolve = f end)
    local seen = {}
    local done = datasession.spawn(function()
      local ok, value = pcall(function() return (promise:await()) end)
      seen[1] = value
      return ok
    end)
    assert.same({}, seen)
    resolve "late"
    assert.equal(true, (done:await(await.LIMIT)))
    assert.same({ "late" }, seen)
  end)

  it("cancel ends a coroutine that waits, and runs what its end is to run", function()
    local seen = {}
    local promise = datasession.spawn(function()
      lua.closing(setmetatable({}, { __close = function() seen[#seen + 1] = "closed" end }), function()
        datasession.promise(function() end):await()
      end)
      seen[#seen + 1] = "went on"
    end)
    assert.equal(true, promise:cancel())
    assert.same({ "closed" }, seen)
  end)

  if not closes then
    it("cancel ends a function that catches the error of its await, at the next one", function()
      local seen = {}
      local promise = datasession.spawn(function()
        local never = datasession.promise(function() end)
        local _, err = pcall(never.await, never)
        seen[#seen + 1] = tostring(err)
        while true do
          pcall(never.await, never)
          seen[#seen + 1] = "again"
        end
      end)
      assert.equal(true, promise:cancel())
      assert.equal(1, #seen)
      assert.matches("the coroutine of datasession.spawn was cancelled", seen[1], 1, true)
    end)
  end

  it("a hook's error in a function of spawn ends the program, or rejects its promise", function()
    local main = coroutine.running()
    local function hook()
      debug.sethook(main)
      error("interrupted!", 0)
    end
    local promise
    local ok, err = pcall(function()
      promise = datasession.spawn(function()
        debug.sethook(main, hook, "cr", 1)
        return "went on"
      end)
    end)
    if isJit then err = select(2, promise:await(await.LIMIT)).message end
    assert.same({ isJit, "interrupted!" }, { ok, err })
  end)

  it("variables with <close> are there, or are a mistake of syntax", function()
    assert.equal(closes, load("local _ <" .. "close> = nil") ~= nil)
  end)

  it("warnings go to the program's warn, and without one to standard error", function()
    local program = [[
      warn "@on"
      local datasession = require "datasession"
      datasession.newPromise(function(resolve) resolve() end):done(function() error "a mistake" end)
      datasession.step(0)
    ]]
    local written = "Lua warning: .*a mistake"
    if not closes then
      local silent = program:gsub('warn "@on"', "", 1)
      assert.matches(written, child.output(silent))
      program = program:gsub('warn "@on"', 'function warn(text) print("mine: " .. text) end')
      written = "mine: .*a mistake"
    end
    assert.matches(written, child.output(program))
  end)

  it("closing returns the results, and raises the error as it is", function()
    local ends = {}
    local guard = setmetatable({}, { __close = function(_, err) ends[#ends + 1] = err or "none" end })
    assert.same({ 1, 2, n = 2 }, lua.table.pack(lua.closing(guard, function(...) return ... end, 1, 2)))
    local failure = {}
    local _, err = pcall(lua.closing, guard, error, failure)
    assert.equal(failure, err)
    assert.same({ "none", failure }, ends)
  end)

  it("UTF-8 is read and written as Lua 5.4 does", function()
    assert.equal("aé€😀", lua.utf8.char(97, 233, 8364, 128512))
    assert.equal(4, lua.utf8.len "aé€😀")
    for _, text in ipairs { "\237\160\128", "\192\128", "\244\144\128\128", "\226\130", "\128" } do
      assert.is_nil((lua.utf8.len(text)))
    end
    assert.equal(4, lua.utf8.offset("aé€", 3))
    assert.equal(8364, lua.utf8.codepoint "€")
  end)

  it("zero bytes of a text are found, also after lua-compat-5.3 was loaded", function()
    assert.equal(2, lua.zero "a\0b")
    assert.is_nil((lua.zero "a%zb"))
    assert.matches("a zero byte at character 4", select(2, codec.decode "[1]\0"))
    assert.error_matches(function() require("datasession.store").file "a\0" end, "expected a path")
  end)

  it("a table has a finaliser", function()
    local finalised = false
    lua.setmetatable({}, { __gc = function() finalised = true end })
    for _ = 1, 2 do collectgarbage() end
    assert.is_true(finalised)
  end)

  -- spec/support/older_language.lua loads lua-compat-5.3 for all other children.
  it("the client needs no library but lua-cjson", function()
    local sandbox = require "datasession.sandbox"
    local server, language = assert(sandbox.start()), child.language
    child.language = ""
    finally(function()
      child.language = language
      server:close()
    end)
    local output = child.output(([[
      local datasession = require "datasession"
      local uri = %q
      local session = assert(datasession.getSession { serviceURI = uri, authenticationModel = "anonymous",
        catalogURI = uri .. "/static/CustomerService.json" }:await(%d))
      local customers = datasession.JSDO { name = "Customer", session = session }
      assert(customers:fill { top = 3 }:await(%d))
      local count, first = 0, nil
      for record in customers:records() do count, first = count + 1, first or record end
      assert(customers:hasData() and tostring(first.QuarterSales):find "%%d, ")
      first.QuarterSales[1], first.QuarterSales[2] = nil, 5
      local another = customers:add(first)
      another.QuarterSales = first.QuarterSales
      assert(another.Name == first.Name and another.QuarterSales_2 == 5)
      print(count, package.loaded.compat53)
    ]]):format(server.uris.anonymous, await.LIMIT, await.LIMIT))
    assert.matches("^3%s+nil\n$", output)
  end)

  if isJit then
    it("# and pairs of data objects need a method or lua-compat-5.3", function()
      local list = setmetatable({}, {
        __len = function() return 1 end, __pairs = function() return next, { 1 } end,
      })
      assert.equal(0, rawlen(list))
      local count = 0
      for _ in pairs(list) do count = count + 1 end
      assert.equal(1, count)
    end)
  end
end)

-- Functions that other Luas lack, tried in this one, which has them. `has`: globals of such a Lua.
if closes then
  describe("internal/lua for other Luas", function()
    local function load(has)
      local globals = { load = function() end, _G = {}, coroutine = {}, io = has.io or io }
      for name, value in pairs(has) do globals[name] = value end
      local known = setmetatable(globals, { __index = function(_, name)
        return name ~= "utf8" and name ~= "warn" and _G[name] or nil
      end })
      return assert(loadfile(package.searchpath("datasession.internal.lua", package.path), "t", known))()
    end

    -- LuaJIT's userdata whose metatable may get a finaliser later.
    local function newproxy(withMeta)
      return withMeta and setmetatable({}, { __gc = function() end }) or {}
    end

    local function jit()
      return load { newproxy = newproxy, _G = { jit = {}, newproxy = newproxy, unpack = table.unpack } }
    end

    it("reads UTF-8 as Lua 5.4 does, also what is none", function()
      local own = jit().utf8
      local edges = { "", "\0", "\127", "\128", "\143", "\144", "\159", "\160", "\191", "\192", "\255" }
      for first = 0, 255 do
        for _, second in ipairs(edges) do
          for _, rest in ipairs { "", "\128", "\191", "\128\128", "\191\191", "\128\127", "\191a", "\192" } do
            local text = "é" .. string.char(first) .. second .. rest
            local expected, place = utf8.len(text)
            local count, at = own.len(text)
            if count ~= expected or at ~= place then
              assert.same({ text, expected, place }, { text, count, at })
            end
          end
        end
      end
    end)

    it("writes UTF-8, finds characters and their codes", function()
      local own, codes = jit().utf8, {}
      for _, code in ipairs { 0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF } do
        codes[#codes + 1] = code
        assert.equal(utf8.char(code), own.char(code))
        assert.equal(code, own.codepoint(utf8.char(code)))
      end
      local text = own.char(table.unpack(codes))
      assert.equal(utf8.char(table.unpack(codes)), text)
      for n = 1, #codes + 2 do assert.equal(utf8.offset(text, n), own.offset(text, n)) end
      assert.equal(0x80, own.codepoint(text, 3))
      local characters = {}
      for one in text:sub(2):gmatch(own.charpattern) do characters[#characters + 1] = one end
      assert.equal(#codes - 1, #characters)
      assert.equal(2, own.offset("\128b", 2))
    end)

    it("takes no half of a surrogate pair for a character in 5.3", function()
      local own = load({ utf8 = { len = function(text) return #text end, char = utf8.char } }).utf8
      assert.same({ nil, 2 }, { own.len "a\237\160\128" })
      assert.equal(4, own.len "a\237\159\191")
      assert.equal(utf8.char, own.char)
    end)

    it("knows integers up to 2^53", function()
      local math = jit().math
      assert.same({ 2 ^ 53, -2 ^ 53, 3 }, { math.maxinteger, math.mininteger, math.floor(3.5) })
      for value, kind in pairs { [2 ^ 53] = "integer", [-2 ^ 53] = "integer", [2 ^ 53 + 2] = "float",
          [-2 ^ 53 - 2] = "float", [0.5] = "float" } do
        assert.equal(kind, math.type(value))
        assert.equal(kind == "integer" and value or nil, math.tointeger(value))
      end
      assert.is_nil(math.type "1")
      assert.equal(1, math.tointeger "1")
      assert.is_nil(math.tointeger "x")
    end)

    it("writes integers up to 2^53 with all their digits", function()
      local own = load { newproxy = newproxy, tostring = function(value) return ("%.14g"):format(value) end,
        _G = { jit = {}, newproxy = newproxy, unpack = table.unpack } }
      assert.equal("1234567890123456", own.tostring(1234567890123456))
      assert.same({ "0.5", "1e+20" }, { own.tostring(0.5), own.tostring(1e20) })
    end)

    it("knows that another locale may lower I otherwise", function()
      local function lowersI(name)
        return load { newproxy = newproxy, os = { setlocale = function() return name end },
          _G = { jit = {}, newproxy = newproxy, unpack = table.unpack } }.lowersI()
      end
      assert.is_true(lowersI "C")
      assert.is_false(lowersI "tr_TR.UTF-8")
    end)

    it("packs, unpacks and knows the main coroutine", function()
      local own = load { newproxy = newproxy, coroutine = { running = function() end },
        _G = { jit = {}, newproxy = newproxy, unpack = table.unpack } }
      assert.same({ 1, nil, n = 3 }, own.table.pack(1, nil, nil))
      assert.equal(table.unpack, own.table.unpack)
      assert.equal(own.running(), own.running())
      assert.not_nil(own.running())
    end)

    it("compiles nothing while a hook is set", function()
      local told = {}
      local own = load { newproxy = newproxy, _G = { newproxy = newproxy, jit = {
        off = function() told[#told + 1] = "off" end, on = function() told[#told + 1] = "on" end,
      } }, debug = { sethook = function(...) told[#told + 1] = select("#", ...) end } }
      own.sethook(print, "", 100)
      own.sethook()
      assert.same({ "off", 3, "on", 1 }, told)
    end)

    it("finalises tables", function()
      local own = load { newproxy = newproxy, setmetatable = function(object) return object end,
        _G = { jit = {}, newproxy = newproxy, unpack = table.unpack } }
      local gone = {}
      local meta = { __gc = function(object) gone[#gone + 1] = object.name end }
      do
        local object = own.setmetatable({ name = "x" }, meta)
        own.setmetatable(object, meta)
        own.setmetatable({ name = "y" }, {})
        own.setmetatable({ name = "z" }, nil)
      end
      collectgarbage()
      assert.same({ "x" }, gone)
    end)

    it("closes a guard with the error or without", function()
      local own, ends = jit(), {}
      local guard = setmetatable({}, { __close = function(_, err) ends[#ends + 1] = err or "none" end })
      assert.same({ 1, 2 }, { own.closing(guard, function(...) return ... end, 1, 2) })
      assert.same({ false, "x" }, { pcall(own.closing, guard, error, "x", 0) })
      assert.same({ "none", "x" }, ends)
      assert.equal(3, own.closing(nil, function() return 3 end))
    end)

    it("warns until it is switched off", function()
      local lines, registry = {}, {}
      local fake = { stderr = { write = function(_, ...) lines[#lines + 1] = table.concat { ... } end } }
      local own = load { newproxy = newproxy, io = fake, _G = { jit = {}, newproxy = newproxy },
        debug = { getregistry = function() return registry end } }
      own.warn("a", "b")
      own.warn "@off"
      own.warn "c"
      own.warn "@on"
      own.warn "@unknown"
      own.warn("@off", "")
      own.warn "d"
      assert.same({ "Lua warning: ab\n", "Lua warning: d\n" }, lines)
      local theirs = {}
      own = load { newproxy = newproxy, io = fake, _G = { jit = {}, newproxy = newproxy,
        warn = function(text) theirs[#theirs + 1] = text end } }
      own.warn "e"
      assert.same({ "e" }, theirs)
      assert.equal(2, #lines)
    end)
  end)
end
