-- The sandbox's DataSnap server, over real sockets: exact bodies and headers.
local cjson = require "cjson"
local client = dofile "spec/sandbox/client.lua"
local sandbox = require "datasession.sandbox"

local REST = "/datasnap/rest/"
local EXPIRED = '{"SessionExpired":"The session is no longer available."}'
local ADA, ADA_WRONG = "Basic YWRhOnRlYQ==", "Basic YWRhOmNvZmZlZQ==" -- ada:tea, ada:coffee
local ADMIN, NOBODY = "Basic YWRtaW46cm9vdA==", "Basic Og==" -- admin:root, and a colon alone

describe("the DataSnap server", function()
  local server

  local function start(options)
    if server then server:close() end
    server = assert(sandbox.start(options))
  end

  before_each(function() start() end)
  after_each(function()
    server:close()
    server = nil
  end)

  -- options: body, id (in Pragma), as (Authorization), accept
  local function send(method, path, options)
    options = options or {}
    return client.request(server, method, path, { body = options.body, headers = {
      Pragma = options.id and "dssession=" .. options.id, Authorization = options.as, Accept = options.accept,
    } })
  end

  -- The session's id in an answer, and the milliseconds.
  local function idOf(response)
    return (response.headers.pragma or ""):match("^dssession=(%d+%.%d+%.%d+),dssessionexpires=(%d+)$")
  end

  local function assertJSON(status, body, response)
    assert.equal(body, response.body)
    assert.equal(status, response.status)
    assert.equal("application/json", response.headers["content-type"])
  end

  local function assertError(message, response)
    assertJSON(500, '{"error":' .. cjson.encode(message):gsub("\\/", "/") .. "}", response)
    assert.is_string(idOf(response))
  end

  local function assertExpired(response)
    assertJSON(403, EXPIRED, response)
    assert.is_nil(response.headers.pragma)
  end

  local function assertBare(status, response)
    assert.equal(status, response.status)
    assert.equal("", response.body)
    assert.is_nil(response.headers.pragma)
    assert.is_nil(response.headers["content-type"])
  end

  local function newSession(options)
    return idOf(send("GET", REST .. "DSAdmin/GetPlatformName/", options))
  end

  -- The arguments of TEcho.Echo, as JSON.
  local function echo(path, body, method)
    local response = send(method or "GET", REST .. "TEcho/Echo" .. path, { body = body })
    return response.body:match('^{"result":%[(.*)%]}$') or response.body
  end

  local function paging(path, options)
    return send("GET", "/datasnap/cache/" .. path, options)
  end

  describe("at its paths", function()
    it("has the origin for its URI, and no Catalog", function()
      assert.equal(server.origin, server.uris.datasnap)
      assert.is_nil(server:catalogURI("datasnap"))
    end)

    it("does not mind the case of its contexts", function()
      assertJSON(200, '{"result":[41]}', send("GET", "/DataSnap/Rest/TStock/Level/A%2F7/3/"))
      assertJSON(200, '{"result":{}}', send("GET", "/DATASNAP/CACHE/"))
      assertJSON(200, "[]", send("POST", "/dataSNAP/Json/", { body = "[]" }))
    end)

    it("answers an unknown service with 501 and a text, without a session", function()
      for _, path in ipairs { "/datasnap", "/datasnap/", "/datasnap/soap/x",
        "/datasnap//rest/TStock/Level/" } do
        local response = send("GET", path)
        assert.equal(501, response.status)
        assert.equal("There is no such service", response.body)
        assert.is_nil(response.headers.pragma)
      end
      assert.equal(0, server:sessionCount("datasnap"))
    end)

    it("answers 404 when the first segment is another", function()
      assert.equal(404, send("GET", "/datasnapper/rest/").status)
      assertBare(404, send("GET", "/datasnap%2Frest/TStock/Level/"))
    end)

    it("takes the absolute form of a request line", function()
      assertJSON(200, '{"result":[41]}', send("GET", "http://host" .. REST .. "TStock/Level/A%2F7/3/"))
    end)

    it("can be undeployed", function()
      server:setApplication("datasnap", false)
      local response = send("GET", REST .. "TEcho/Count/")
      assert.equal(404, response.status)
      assert.matches("^text/html", response.headers["content-type"])
      server:setApplication("datasnap", true)
      assertJSON(200, '{"result":[1]}', send("GET", REST .. "TEcho/Count/"))
    end)
  end)

  describe("choosing a method", function()
    it("adds the verb's prefix", function()
      for verb, prefix in pairs { PUT = "accept", POST = "update", DELETE = "cancel" } do
        local response = send(verb, REST .. "TEcho/Echo/a/")
        assertJSON(verb == "PUT" and 201 or 200, '{"result":[["a"]]}', response)
        assert.is_string(idOf(response))
        assert.equal(1, server:calls()["TEcho." .. prefix .. "Echo"])
      end
      assertJSON(200, '{"result":[["a"]]}', send("GET", REST .. "TEcho/Echo/a/"))
      assert.same({ ["TEcho.Echo"] = 1, ["TEcho.acceptEcho"] = 1, ["TEcho.updateEcho"] = 1,
        ["TEcho.cancelEcho"] = 1 },
        server:calls())
    end)

    it("adds none to a name in quotes, nor for the administrative classes", function()
      for _, name in ipairs { "%22Echo%22", "'Echo'", "%27Echo%27" } do
        assertJSON(200, '{"result":[[1]]}', send("POST", REST .. "TEcho/" .. name .. "/", { body = "1" }))
      end
      assert.equal(3, server:calls()["TEcho.Echo"])
      assert.equal(200, send("POST", REST .. "DSAdmin/GetPlatformName/").status)
      assertError("There is no class DSMetadata", send("POST", REST .. "DSMetadata/GetDatabase/"))
      assertError("There is no method DSAdmin.Nothing", send("DELETE", REST .. "DSAdmin/Nothing/"))
    end)

    it("answers any other verb with 501, without a session", function()
      for _, verb in ipairs { "HEAD", "PATCH", "OPTIONS" } do
        local response = send(verb, REST .. "TEcho/Count/")
        assert.equal(501, response.status)
        assert.is_nil(response.headers.pragma)
      end
      assert.equal(501, send("PUT", "/datasnap/cache/").status)
      assert.equal(501, send("GET", "/datasnap/json/").status)
      assert.equal(0, server:sessionCount("datasnap"))
      assert.same({}, server:calls())
    end)

    it("answers a name that it does not have with an error and the session", function()
      assertError("There is no class TNone", send("GET", REST .. "TNone/Level/"))
      assertError("There is no method TStock.Levels", send("GET", REST .. "TStock/Levels/"))
      assertError("There is no method TStock.updateLevel", send("POST", REST .. "TStock/Level/A/"))
      assertError("There is no method TStock.level", send("GET", REST .. "TStock/level/A/"))
      assert.same({}, server:calls())
    end)

    it("answers a path that lacks a part with an error and the session", function()
      for _, path in ipairs { "", "/Level/", "TStock", "CloseSession" } do
        assertError("The path names no class", send("GET", REST .. path))
      end
      for _, path in ipairs { "TStock/", "TStock//" } do
        assertError("The path names no method", send("GET", REST .. path))
      end
    end)
  end)

  describe("reading parameters", function()
    it("splits the path before it decodes it", function()
      assert.equal('["A/7","a+b","ä €","x;y=1","?#","100%"]',
        echo("/A%2F7/a+b/%C3%A4%20%E2%82%AC/x;y=1/%3F%23/100%25/"))
      assertJSON(200, '{"result":[["a"]]}', send("GET", "/datasnap/rest/T%45cho/%45cho/a"))
    end)

    it("takes an empty segment for an empty string", function()
      assert.equal("[]", echo(""))
      assert.equal("[]", echo("/"))
      assert.equal('[""]', echo("//"))
      assert.equal('["","",""]', echo("////"))
      assert.equal('["a","","b"]', echo("/a//b"))
      assert.equal('["a",""]', echo("/a//"))
    end)

    it("takes a text for what it looks like", function()
      assert.equal("[true,true,false,null]", echo("/true/TRUE/fAlse/null/"))
      assert.equal('["Null","nan","inf","0x10","1 2"," 1","-","","1e","."]',
        echo("/Null/nan/inf/0x10/1%202/%201/-//1e/./"))
      assert.equal("[3,-3,0,1.50,1e5,-2.5E-3,12345678901234567890]",
        echo("/3/-3/0/1.50/1e5/-2.5E-3/12345678901234567890/"))
      assert.equal("[7,5,0.5,-0.5,5]", echo("/007/+5/.5/-.5/5./"))
    end)

    it("takes a body for one parameter, behind those of the path", function()
      assert.equal('["a",{"b":[1, 2]}]', echo("/a/", ' {"b":[1, 2]}\n', "POST"))
      for _, body in ipairs { "[]", "{}", "null", "true", '"x"', "-1.50", "[1,[2,3]]", '{"_parameters":7}',
        '{"_parameters":{}}', '{"_parameters":[1],"more":2}', '{"_Parameters":[1]}',
        '[{"_parameters":[1]}]' } do
        assert.equal("[" .. body .. "]", echo("/", body, "PUT"))
        assert.equal("[" .. body .. "]", echo("/", body, "POST"))
      end
    end)

    it("takes the list _parameters for several", function()
      assert.equal('["web",{"sku":"A/7"},2,"gift"]',
        echo("/web/", '{"_parameters":[{"sku":"A/7"},2,"gift"]}', "POST"))
      assert.equal("[]", echo("/", '{"_parameters":[]}', "POST"))
      local body = [=[ { "_parameters" : [ "]\"}\\" , [],{} ,{"_parameters":[1]},null,
        [[1],{"a":"]"}] ,0.10 ] } ]=]
      assert.equal([=[["]\"}\\",[],{},{"_parameters":[1]},null,[[1],{"a":"]"}],0.10]]=],
        echo("/", body, "POST"))
      assert.equal("[1]", echo("/", [[{"\u005fparameters":[1]}]], "POST"))
    end)

    it("does not read the body of GET and DELETE", function()
      assert.equal("[]", echo("/", "1", "GET"))
      assert.equal("[]", echo("/", "broken", "DELETE"))
    end)

    it("answers a body that is not JSON with an error", function()
      for _, body in ipairs { "{", "[1,]", "a", "[1] 2", "NaN", "[Infinity]", "'a'", " " } do
        local response = send("POST", REST .. "TEcho/Echo/", { body = body })
        assert.matches('^{"error":"The body is not JSON: ', response.body)
        assert.equal(500, response.status)
        assert.is_string(idOf(response))
      end
      assert.same({}, server:calls())
    end)

    it("has null for those that are missing, and an error for those that are too many", function()
      assertJSON(200, '{"result":[[1,null]]}', send("GET", REST .. "TEcho/Pair/1/"))
      assertJSON(200, '{"result":[[null,null]]}', send("GET", REST .. "TEcho/Pair/"))
      assertError("TEcho.Pair takes 2 parameters, not 3", send("GET", REST .. "TEcho/Pair/1/2/3/"))
      assertError("TStock.updateOrder takes 4 parameters, not 5",
        send("POST", REST .. "TStock/Order/1/2/", { body = '{"_parameters":[3,4,5]}' }))
      assert.same({ ["TEcho.Pair"] = 2 }, server:calls())
    end)
  end)

  describe("with its store", function()
    it("does what the worked example shows", function()
      assertJSON(200, '{"result":[41]}', send("GET", REST .. "TStock/Level/A%2F7/3/"))
      assertJSON(200, '{"result":[true]}',
        send("POST", REST .. "TStock/Order/web/", { body = '{"_parameters":[{"sku":"A/7"},2,"gift"]}' }))
      assertJSON(200, '{"result":[[["web",{"sku":"A/7"},2,"gift"]]]}', send("GET", REST .. "TStock/Orders/"))
    end)

    it("keeps levels and prices", function()
      assertJSON(201, '{"result":[true]}', send("PUT", REST .. "TStock/Item/7/", { body = "12" }))
      assertJSON(201, '{"result":[false]}', send("PUT", REST .. "TStock/Item/7/12/"))
      assertJSON(200, '{"result":[12]}', send("GET", REST .. "TStock/Level/7/"))
      assertJSON(200, '{"result":[0]}', send("GET", REST .. "TStock/Level/7/13/"))
      assertJSON(200, '{"result":[true]}', send("DELETE", REST .. "TStock/Item/7/"))
      assertJSON(200, '{"result":[false]}', send("DELETE", REST .. "TStock/Item/7/"))
      assertJSON(200, '{"result":[0]}', send("GET", REST .. "TStock/Level/7/"))
      assertError('"many" is not a number from 0 to 1000000', send("GET", REST .. "TStock/Level/7/many/"))
      assertJSON(200, '{"result":[null]}', send("GET", REST .. "TStock/Price/7/"))
      assertJSON(200, '{"result":[true]}', send("POST", REST .. "TStock/Price/7/9.90/", { as = ADMIN }))
      assertJSON(200, '{"result":[9.90]}', send("GET", REST .. "TStock/Price/7/"))
    end)
  end)

  describe("telling results", function()
    it("takes the only filter's value for a scalar body, as real servers do", function()
      assertJSON(200, '{"result":[["1,2"]]}',
        send("POST", REST .. "TEcho/Echo/?ss.r=%221,2%22", { body = '"ab"' }))
      assertJSON(200, '{"result":[["ab"]]}',
        send("POST", REST .. "TEcho/Echo/?ss.r=1&ss.o=2", { body = '"ab"' }))
      assertJSON(200, '{"result":[["ab"]]}',
        send("POST", REST .. "TEcho/Echo/?ss.r=1", { body = '{"_parameters":["ab"]}' }))
      assertJSON(200, '{"result":[[7]]}', send("POST", REST .. "TEcho/Echo/?ss.r=1", { body = "7" }))
    end)

    it("puts what goes out before the result", function()
      assertJSON(200, '{"result":["TEA",3,"tea"]}', send("GET", REST .. "TEcho/Out/tea/"))
      assertJSON(200, '{"result":[2,{"name":["row 1","row 2"],"number":[1,2]},[0,1],["row 1","row 2"]]}',
        send("GET", REST .. "TEcho/Table/"))
      assertJSON(200, '{"result":[0,{"name":[],"number":[]},[],[]]}', send("GET", REST .. "TEcho/Table/0/"))
    end)

    it("sends a single stream as its bytes, unless JSON is asked for", function()
      local response = send("GET", REST .. "TEcho/Stream/300/", { accept = "application/json" })
      local all = {}
      for i = 0, 299 do all[i + 1] = string.char(i % 256) end
      assert.equal(table.concat(all), response.body)
      assert.equal(200, response.status)
      assert.equal("application/octet-stream", response.headers["content-type"])
      assert.is_string(idOf(response))
      assert.equal(256, #send("GET", REST .. "TEcho/Stream/?json=false").body)
      assertJSON(200, '{"result":[[0,1,2]]}', send("GET", REST .. "TEcho/Stream/3/?json=True"))
    end)

    it("can have no body", function()
      local response = send("GET", REST .. "TEcho/Empty/")
      assert.equal(200, response.status)
      assert.equal("", response.body)
      assert.is_string(idOf(response))
    end)

    it("tells what a method raises, as an error with the session", function()
      local id = newSession()
      local response = send("GET", REST .. "TEcho/Fail/no%20%22tea%22/", { id = id })
      assertError('no "tea"', response)
      assert.equal(id, idOf(response))
      assertError("TEcho.Fail failed", send("GET", REST .. "TEcho/Fail/"))
      response = send("GET", REST .. "TEcho/Forbid/not%20here/", { id = id })
      assertJSON(403, '{"error":"not here"}', response)
      assert.equal(id, idOf(response))
      assert.equal(2, server:calls()["TEcho.Fail"])
    end)

    it("counts how often a method was run", function()
      for n = 1, 3 do assertJSON(200, ('{"result":[%d]}'):format(n), send("GET", REST .. "TEcho/Count/")) end
      assertError("TEcho.Count takes 0 parameters, not 1", send("GET", REST .. "TEcho/Count/1/"))
      server:fault { kind = "reset", path = "/Count/" }
      assert.is_nil(send("GET", REST .. "TEcho/Count/"))
      assert.equal(3, server:calls()["TEcho.Count"])
      assert.equal("integer", math.type(server:calls()["TEcho.Count"]))
      local other <close> = assert(sandbox.start())
      assert.same({}, other:calls())
    end)

    it("names the platform", function()
      for _, name in ipairs { "GetPlatformName", "GetDSServerName" } do
        assert.matches('^{"result":%["[^"]+"%]}$', send("GET", REST .. "DSAdmin/" .. name .. "/").body)
      end
    end)
  end)

  describe("keeping sessions", function()
    it("makes one for a request without an id, and goes on with it", function()
      local id, ms = newSession()
      assert.equal("1200000", ms)
      for part in id:gmatch("%d+") do assert.is_true(#part <= 6 and part == ("%d"):format(part)) end
      assert.equal(id, newSession { id = id })
      assert.equal(1, server:sessionCount("datasnap"))
      assert.not_equal(id, newSession())
      assert.not_equal(id, newSession { id = "" })
      assert.equal(3, server:sessionCount("datasnap"))
    end)

    it("finds the id among what else is in Pragma", function()
      local id = newSession()
      for _, pragma in ipairs { "dssession=%s, no-cache", "no-cache,other=1,DSSession = %s" } do
        local headers = { Pragma = pragma:format(id) }
        assert.equal(id, idOf(client.get(server, REST .. "TEcho/Count/", headers)))
      end
      assert.equal(1, server:sessionCount("datasnap"))
    end)

    it("takes the id from the query before the header", function()
      local id, other = newSession(), newSession()
      for _, name in ipairs { "sid", "SID", "sessionid", "SESSIONID" } do
        local response = send("GET", ("%sTEcho/Count/?%s=%s"):format(REST, name, id), { id = other })
        assert.equal(200, response.status)
        assert.equal(id, idOf(response))
      end
      assertExpired(send("GET", REST .. "TEcho/Count/?sid=1.2.3", { id = id }))
      assert.equal(id, idOf(send("GET", REST .. "TEcho/Count/?sid=", { id = id })))
    end)

    it("does not know an id that it never gave, or has lost", function()
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = "1.2.3" }))
      assertExpired(send("POST", REST .. "None/None", { id = "nonsense", body = "{" }))
      local id = newSession()
      server:expireSessions("datasnap")
      assert.equal(0, server:sessionCount("datasnap"))
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
      assert.is_nil(server:calls()["TEcho.Count"])
    end)

    it("ends one that is idle for longer than idleTimeout; use begins that anew", function()
      start { idleTimeout = 10 }
      local id, ms = newSession()
      assert.equal("10000", ms)
      for _ = 1, 3 do
        server:advanceClock(9)
        local same, again = newSession { id = id }
        assert.same({ id, "10000" }, { same, again })
      end
      server:advanceClock(10)
      assert.equal(0, server:sessionCount("datasnap"))
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
    end)

    it("is used by errors and by the cache too", function()
      local id = newSession()
      server:advanceClock(1199)
      assertError("There is no class TNone", send("GET", REST .. "TNone/x/", { id = id }))
      server:advanceClock(1199)
      assert.equal(200, paging("", { id = id }).status)
      server:advanceClock(1199)
      assert.equal(id, newSession { id = id })
    end)

    it("closes one", function()
      local id, other = newSession(), newSession()
      local response = send("GET", REST .. "CloseSession/", { id = id })
      assertJSON(200, '{"result":[true]}', response)
      assert.is_nil(response.headers.pragma)
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
      assertExpired(send("GET", REST .. "CloseSession/", { id = id }))
      assert.equal(other, newSession { id = other })
      assert.equal(1, server:sessionCount("datasnap"))
    end)

    it("makes one to close it when no id came", function()
      assertJSON(200, '{"result":[true]}', send("GET", REST .. "CloseSession/"))
      assert.equal(0, server:sessionCount("datasnap"))
    end)

    it("shows the id in the answer of a method that closes the session", function()
      local id = newSession()
      local response = send("GET", REST .. "TEcho/Close/", { id = id })
      assertJSON(200, '{"result":[true]}', response)
      assert.equal(id, idOf(response))
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
      assert.equal(0, server:sessionCount("datasnap"))
    end)
  end)

  describe("reading filters", function()
    it("takes those that it understands", function()
      for _, query in ipairs { "?ss.r=0,5", "?ss.r", "?json=true", "?json=FALSE&ss.r=1",
        "?t2-4.r=1,2&ss.o=1&t.c=3",
        "?ss2.c=1", "?r=1,2", "?2.o=1", "?1-3.c=1", "?json", "?x", "?ss.r=1&x" } do
        assertJSON(200, '{"result":["A",1,"a"]}', send("GET", REST .. "TEcho/Out/a/" .. query))
      end
    end)

    it("answers others with 409, before authentication and after the session is made", function()
      start { datasnapAuthentication = true }
      for i, query in ipairs { "?_ts=1", "?json=maybe", "?ss.r=1&x=", "?SS.R=1", "?path=a/b", "?t2-.r=1",
        "?tr2.x=1" } do
        assertBare(409, send("GET", REST .. "TEcho/Count/" .. query))
        assert.equal(i, server:sessionCount("datasnap"))
      end
      assertBare(409, send("GET", REST .. "CloseSession/?x=1"))
      assert.same({}, server:calls())
    end)

    it("keeps the session of a request that gets 409", function()
      local id = newSession()
      assertBare(409, send("GET", REST .. "TEcho/Count/?x=1", { id = id }))
      assert.equal(id, newSession { id = id })
    end)
  end)

  describe("with authentication", function()
    before_each(function() start { datasnapAuthentication = true,
      users = { ada = "tea", admin = "root" } } end)

    it("asks who names no user for one; the session it made stays behind", function()
      for i, authorization in ipairs { false, NOBODY, "Bearer YWRhOnRlYQ==" } do
        local response = send("GET", REST .. "TEcho/Count/", { as = authorization or nil })
        assertBare(401, response)
        assert.equal('Basic realm="REST"', response.headers["www-authenticate"])
        assert.equal(i, server:sessionCount("datasnap"))
      end
      assert.same({}, server:calls())
    end)

    it("refuses a wrong password and an unknown user with 403, without the key", function()
      for i, authorization in ipairs { ADA_WRONG, "Basic ZXZlOnRlYQ==" } do
        local response = send("GET", REST .. "TEcho/Count/", { as = authorization })
        assertBare(403, response)
        assert.is_nil(response.headers["www-authenticate"])
        assert.equal(i, server:sessionCount("datasnap"))
      end
      assert.same({}, server:calls())
    end)

    it("looks at credentials only when it makes a session", function()
      local id = newSession { as = ADA }
      for _, authorization in ipairs { false, ADA_WRONG, ADMIN } do
        local response = send("GET", REST .. "TEcho/Count/", { id = id, as = authorization or nil })
        assert.equal(200, response.status)
        assert.equal(id, idOf(response))
      end
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = "1.2.3", as = ADA_WRONG }))
    end)

    it("goes for the cache, for batches and for CloseSession too", function()
      assertBare(401, paging(""))
      assertBare(403, paging("", { as = ADA_WRONG }))
      assertBare(401, send("POST", "/datasnap/json/", { body = "[]" }))
      assertBare(403, send("POST", "/datasnap/json/", { body = "[]", as = ADA_WRONG }))
      assertBare(401, send("GET", REST .. "CloseSession/"))
      assertJSON(200, '{"result":[true]}', send("GET", REST .. "CloseSession/", { as = ADA }))
    end)

    it("refuses a method that is not the user's with an error that keeps the session", function()
      local response = send("POST", REST .. "TStock/Price/A%2F7/1/", { as = ADA })
      assertError("ada may not run TStock.updatePrice", response)
      local id = idOf(response)
      response = send("POST", REST .. "TStock/Price/A%2F7/1/", { id = id, as = ADMIN })
      assertError("ada may not run TStock.updatePrice", response)
      assert.equal(id, idOf(response))
      assert.equal(id, newSession { id = id })
      assertJSON(200, '{"result":[true]}', send("POST", REST .. "TStock/Price/A%2F7/1/", { as = ADMIN }))
      assert.equal(1, server:calls()["TStock.updatePrice"])
    end)
  end)

  describe("without authentication", function()
    it("takes everybody for who they say they are", function()
      local path = REST .. "TStock/Price/a/1/"
      assertError("ada may not run TStock.updatePrice", send("POST", path, { as = ADA_WRONG }))
      assertError("anonymous may not run TStock.updatePrice", send("POST", path))
      assertError("anonymous may not run TStock.updatePrice", send("POST", path, { as = NOBODY }))
      assert.same({}, server:calls())
    end)
  end)

  describe("setDataSnap", function()
    it("sets the timeout, also of the sessions that there are", function()
      local id = newSession()
      server:setDataSnap { timeout = 2500 }
      assert.same({ id, "2500" }, { newSession { id = id } })
      server:advanceClock(2)
      assert.same({ id, "2500" }, { newSession { id = id } })
      server:advanceClock(2.5)
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
    end)

    it("lets sessions live for ever", function()
      server:setDataSnap { timeout = 0 }
      local id, ms = newSession()
      assert.equal("0", ms)
      server:advanceClock(1e9)
      assert.equal(1, server:sessionCount("datasnap"))
      assert.equal(id, newSession { id = id })
    end)

    it("leaves the header out, and brings it back", function()
      local id = newSession()
      server:setDataSnap { pragma = false }
      assert.is_nil(send("GET", REST .. "TEcho/Count/", { id = id }).headers.pragma)
      assert.is_nil(send("GET", REST .. "TEcho/Fail/").headers.pragma)
      server:setDataSnap { timeout = 5000 }
      assert.is_nil(send("GET", REST .. "TEcho/Count/", { id = id }).headers.pragma)
      server:setDataSnap { pragma = true }
      assert.same({ id, "5000" }, { newSession { id = id } })
    end)

    it("lets sessions end with their requests", function()
      local id = newSession()
      server:setDataSnap { perRequest = true }
      assertExpired(send("GET", REST .. "TEcho/Count/", { id = id }))
      for n = 1, 2 do
        local response = send("GET", REST .. "TEcho/Count/", { id = n == 2 and "" or nil })
        assertJSON(200, ('{"result":[%d]}'):format(n), response)
        assert.equal("dssession=,dssessionexpires=1200000", response.headers.pragma)
      end
      assert.equal(0, server:sessionCount("datasnap"))
      server:setDataSnap { perRequest = false }
      id = newSession()
      assert.equal(id, newSession { id = id })
    end)

    it("plays the servers of RAD Studio 11: pages, streams as lists, no batches", function()
      server:setDataSnap { generation = "newer" }
      local id = newSession()
      local function assertPage(status, response)
        assert.equal(status, response.status)
        assert.matches("^text/html", response.headers["content-type"])
        assert.matches("^<HTML>", response.body)
      end
      assertPage(200, send("GET", REST .. "TEcho/Empty/", { id = id }))
      assertPage(409, send("GET", REST .. "TEcho/Count/?x=1", { id = id }))
      assertJSON(200, '{"result":[[0,1,2]]}', send("GET", REST .. "TEcho/Stream/3/", { id = id }))
      assert.equal("\0\1\2", send("GET", REST .. "TEcho/Stream/3/?json=false", { id = id }).body)
      assert.equal(501, send("POST", "/datasnap/json/", { id = id, body = "[]" }).status)
      send("GET", REST .. "TEcho/Table/2/", { id = id, accept = "application/rest" })
      local response = send("GET", "/datasnap/cache/0/0/2", { id = id, accept = "application/rest" })
      assertJSON(200, '{"result":[0,1]}', response)
      assertPage(200, send("DELETE", "/datasnap/cache/", { id = id }))
      assertPage(200, send("GET", REST .. "CloseSession/", { id = id }))
      assertPage(400, send("DELETE", "/datasnap/cache/0/0/2"))
      server:setDataSnap { generation = "older" }
      assertBare(400, send("DELETE", "/datasnap/cache/0/0/2"))
    end)

    it("raises for options that cannot be", function()
      for message, options in pairs {
        ["bad option 'generation' for 'setDataSnap'"] = { generation = "XE2" },
        ["bad option 'timeout' for 'setDataSnap': integer, 0 or more"] = { timeout = -1 },
        ["bad option 'perRequest' for 'setDataSnap': boolean"] = { perRequest = 1 },
        ["bad option 'pragma' for 'setDataSnap': boolean"] = { pragma = "no" },
        ["unknown option 'lifetime' for 'setDataSnap'"] = { lifetime = 1 },
        ["bad argument to 'setDataSnap': table expected"] = 7,
      } do
        local ok, raised = pcall(function() server:setDataSnap(options) end)
        assert.is_false(ok)
        assert.matches(message, raised, 1, true)
        assert.matches("^spec/", raised)
      end
    end)
  end)

  describe("keeping results", function()
    local id

    before_each(function()
      local response = send("GET", REST .. "TEcho/Table/", { accept = "application/rest" })
      assert.equal('{"result":[2,"0/0/1","0/0/2","0/0/3"],"cacheId":0,"cmdIndex":0}', response.body)
      assert.equal(200, response.status)
      assert.equal("application/rest", response.headers["content-type"])
      id = idOf(response)
    end)

    local function cached(path, options)
      options = options or {}
      options.id = id
      local response = paging(path, options)
      assert.is_nil(response.headers.pragma)
      assert.equal("close", response.headers.connection)
      return response
    end

    it("numbers them in each session", function()
      local path, accept = REST .. "TEcho/Stream/3/", "application/rest"
      local second = send("GET", path, { id = id, accept = accept })
      assert.equal('{"result":["1/0/0"],"cacheId":1,"cmdIndex":0}', second.body)
      assert.equal('{"result":["0/0/0"],"cacheId":0,"cmdIndex":0}',
        send("GET", path, { accept = accept }).body)
      local plain = send("GET", REST .. "TEcho/Out/a/", { id = id, accept = accept })
      assert.equal('{"result":["A",1,"a"]}', plain.body)
      assert.equal("application/rest", plain.headers["content-type"])
      assertError("x", send("GET", REST .. "TEcho/Fail/x/", { accept = accept }))
    end)

    it("lists them", function()
      local command = '{"parameters":["Count","Rows","Bytes","ReturnValue"]}'
      assertJSON(200, '{"result":' .. command .. "}", cached "0/0")
      assertJSON(200, '{"result":{"commands":[' .. command .. "]}}", cached "0")
      assertJSON(200, '{"result":{"0":{"commands":[' .. command .. "]}}}", cached "")
      send("GET", REST .. "TEcho/Echo/", { id = id, accept = "application/rest" })
      assertJSON(200, '{"result":{"0":{"commands":[' .. command .. "]},"
        .. '"1":{"commands":[{"parameters":["ReturnValue"]}]}}}', cached "")
    end)

    it("gives each", function()
      assertJSON(200, '{"result":2}', cached "0/0/0")
      assertJSON(200, '{"result":{"name":["row 1","row 2"],"number":[1,2]}}', cached "0/0/1/")
      assertJSON(200, '{"result":["row 1","row 2"]}', cached "0/0/3")
    end)

    it("gives a stream as bytes or as JSON", function()
      local bytes = cached "0/0/2"
      assert.equal("\0\1", bytes.body)
      assert.equal(200, bytes.status)
      assert.equal("application/octet-stream", bytes.headers["content-type"])
      assertJSON(200, '{"result":[0,1]}', cached("0/0/2", { accept = "application/json" }))
      assertJSON(200, '{"result":[0,1]}', cached "0/0/2?json=true")
    end)

    it("says that there is no such thing with status 200", function()
      for _, path in ipairs { "1", "0/1", "0/0/4", "7/0/0" } do
        assertJSON(200, '{"error":"There is no such item in the cache"}', cached(path))
      end
      local response = send("DELETE", "/datasnap/cache/1", { id = id })
      assertJSON(200, '{"error":"There is no such item in the cache"}', response)
    end)

    it("answers a malformed path with 400", function()
      for _, path in ipairs { "x", "0/x", "0//1", "0/0/0/0", "-1", "/" } do assertBare(400, cached(path)) end
      for _, path in ipairs { "0/0", "0/0/1" } do
        assertBare(400, send("DELETE", "/datasnap/cache/" .. path, { id = id }))
      end
      assert.equal(200, cached("0").status)
    end)

    it("drops one or all", function()
      for _ = 1, 2 do send("GET", REST .. "TEcho/Echo/", { id = id, accept = "application/rest" }) end
      assertBare(200, send("DELETE", "/datasnap/cache/1", { id = id }))
      assertJSON(200, '{"error":"There is no such item in the cache"}', cached "1")
      assertJSON(200, '{"result":[]}', cached "2/0/0")
      assertBare(200, send("DELETE", "/datasnap/cache/", { id = id }))
      assertJSON(200, '{"result":{}}', cached "")
    end)

    it("finds the session by the query; without an id it makes an empty one", function()
      assertJSON(200, '{"result":2}', paging("0/0/0?sid=" .. id))
      assertJSON(200, '{"result":2}', paging("0/0/0?SESSIONID=" .. id, { id = "1.2.3" }))
      assert.equal(1, server:sessionCount("datasnap"))
      assertJSON(200, '{"result":{}}', paging(""))
      assert.equal(2, server:sessionCount("datasnap"))
    end)

    it("tells a lost session", function()
      server:expireSessions("datasnap")
      assertExpired(cached "0/0/0")
      assertExpired(cached "nonsense")
    end)
  end)

  describe("running batches", function()
    local function run(body, options)
      options = options or {}
      options.body = body
      local response = send("POST", "/datasnap/json/", options)
      assert.is_nil(response.headers.pragma)
      return response
    end

    it("answers each call", function()
      assertJSON(200, '[{"result":[41]},{"result":["TEA",3,"tea"]},{"error":"There is no class TNone"},'
        .. '{"result":[[1,{}]]},{"error":"no"},{"result":[[0,1]]},{"result":[]}]',
        run [=[[{"execute":{"TStock.Level":["A/7",3]}}, {"execute":{"TEcho.Out":["tea"]}},
          {"execute":{"TNone.x":[]}},{"execute":{"TEcho.updateEcho":[1,{}]}},
          {"execute":{"TEcho.Fail":["no"]}},{"execute":{"TEcho.Stream":[2]}},
          {"execute":{"TEcho.Empty":[]}}]]=])
      assert.equal(1, server:calls()["TEcho.updateEcho"])
    end)

    it("answers what is no call with an error in its place", function()
      local expected = '{"error":"{\\"execute\\":{\\"Class.Method\\":[parameters]}} expected"}'
      for _, command in ipairs { "1", "{}", '{"execute":1}', '{"run":{"TEcho.Count":[]}}',
        '{"execute":{"TEcho.Count":1}}', '{"execute":{"TEcho.Count":[],"TEcho.Echo":[]}}' } do
        local response = run("[" .. command .. ',{"execute":{"TEcho.Echo":[]}}]')
        assertJSON(200, "[" .. expected .. ',{"result":[[]]}]', response)
      end
      assert.is_nil(server:calls()["TEcho.Count"])
    end)

    it("answers a body that is no list with an error", function()
      for _, body in ipairs { "{", "{}", "" } do
        local response = run(body)
        assert.equal(500, response.status)
        assert.matches('^{"error":"The body is no batch: ', response.body)
      end
    end)

    it("knows sessions", function()
      local id = newSession { as = ADA }
      local body = '[{"execute":{"TStock.updatePrice":["a",1]}}]'
      assertJSON(200, '[{"error":"ada may not run TStock.updatePrice"}]', run(body, { id = id }))
      assert.equal(1, server:sessionCount("datasnap"))
      assertJSON(200, '[{"result":[true]}]', run('[{"execute":{"TEcho.Close":[]}}]', { id = id }))
      assertExpired(run(body, { id = id }))
    end)
  end)

  describe("under faults", function()
    it("is named by them as any other application", function()
      local id = newSession()
      server:fault { kind = "status", status = 403, model = "datasnap", contentType = "application/json",
        body = '{"error":"no"}', headers = { Pragma = "dssession=7.7.7" } }
      assert.equal(404, client.get(server, "/elsewhere").status)
      local response = send("GET", REST .. "TEcho/Count/", { id = id })
      assertJSON(403, '{"error":"no"}', response)
      assert.equal("dssession=7.7.7", response.headers.pragma)
      server:fault { kind = "truncate", model = "datasnap", after = 5,
        path = "^/datasnap/rest/TEcho/Out/A/7/$" }
      response = send("GET", REST .. "TEcho/Out/A%2F7/", { id = id })
      assert.is_true(response.cut)
      assert.equal('{"res', response.body)
      assert.same({ ["DSAdmin.GetPlatformName"] = 1, ["TEcho.Out"] = 1 }, server:calls())
      local last = server:requests()[4]
      assert.equal("datasnap", last.model)
      assert.equal("truncate", last.fault)
      assert.equal(REST .. "TEcho/Out/A%2F7/", last.uri)
    end)
  end)
end)
