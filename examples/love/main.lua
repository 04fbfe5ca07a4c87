-- A lobby in LÖVE: logs in, lists who is there, and says when the server is away, at 60 frames a second.
--
--     love examples/love http://host/Application [USER PASSWORD]
--
-- o: pretend that the device is offline, or is back; r: read the list again; escape: log out and quit.
-- With --check PICTURE it plays itself, saves PICTURE in LÖVE's directory, and ends with exit code 0, or 1.
local datasession = require "datasession"

local BUDGET = 0.002 -- seconds of each frame for the session
local lobby = { status = "logging in", players = {}, online = true, worst = 0, frames = 0 }
local session, check

local function read()
  lobby.status = "reading the list"
  local customers = datasession.JSDO { name = "Customer", session = session }
  assert(customers:fill({ filter = "CustNum < 13" }):await())
  lobby.players = {}
  for customer in customers:records() do
    table.insert(lobby.players, customer.Name)
  end
  lobby.status = #lobby.players .. " players in the lobby"
end

-- In a coroutine, so that no frame waits for the server.
local function enter(uri, user, password)
  session = datasession.new { serviceURI = uri, authenticationModel = "form" }
  session:subscribe("offline", function() lobby.online = false end)
  session:subscribe("online", function() lobby.online = true end)
  assert(session:login(user, password):await())
  assert(session:addCatalog(uri .. "/static/CustomerService.json"):await())
  read()
end

local function fail(err) lobby.status, lobby.failed = tostring(err), true end

local function setOnline(online)
  datasession.setDeviceOnline(online)
  if online and session then session:ping():next(nil, fail) end
end

-- ---- playing itself

-- Waits until the condition holds, for ten seconds of frames.
local function waitUntil(what, condition)
  for _ = 1, 600 do
    if condition() then return end
    datasession.sleep(1 / 60)
  end
  error(what .. ": " .. lobby.status)
end

local function play(picture)
  waitUntil("the list was not read", function() return #lobby.players > 0 end)
  setOnline(false)
  waitUntil("the banner did not appear", function() return not lobby.online end)
  datasession.sleep(1.5) -- frames show it, and LÖVE counts them
  love.graphics.captureScreenshot(picture)
  datasession.sleep(0.2)
  setOnline(true)
  waitUntil("the banner did not vanish", function() return lobby.online end)
  assert(session:logout():await())
end

-- ---- LÖVE

function love.load(arguments)
  datasession.onError(fail)
  local uri, user, password = arguments[1], "lua", "secret"
  if arguments[2] == "--check" then
    check = arguments[3]
  elseif arguments[2] then
    user, password = arguments[2], arguments[3]
  end
  datasession.spawn(enter, uri, user, password):next(nil, fail)
  if check then
    datasession.spawn(play, check):next(function()
      print(("%d frames, worst step %.1f ms"):format(lobby.frames, lobby.worst * 1000))
      love.event.quit(0)
    end, function(err)
      print(err)
      love.event.quit(1)
    end)
  end
end

function love.update()
  local begin = love.timer.getTime()
  datasession.step(0, BUDGET)
  lobby.frames, lobby.worst = lobby.frames + 1, math.max(lobby.worst, love.timer.getTime() - begin)
end

function love.draw()
  local graphics, time = love.graphics, love.timer.getTime()
  graphics.clear(0.09, 0.11, 0.16)
  for i, name in ipairs(lobby.players) do
    local column, row = (i - 1) % 2, math.floor((i - 1) / 2)
    local x, y = 40 + column * 290, 70 + row * 38
    graphics.setColor(0.16, 0.2, 0.29)
    graphics.rectangle("fill", x, y, 270, 30, 6)
    graphics.setColor(0.42, 0.78, 0.55)
    graphics.circle("fill", x + 16, y + 15 + 3 * math.sin(time * 4 + i), 6)
    graphics.setColor(0.9, 0.92, 0.96)
    graphics.print(name, x + 34, y + 8)
  end
  graphics.setColor(0.65, 0.7, 0.8)
  graphics.print(lobby.status, 40, 320)
  graphics.printf(love.timer.getFPS() .. " frames a second", 40, 320, 560, "right")
  if lobby.online then graphics.setColor(0.13, 0.45, 0.28) else graphics.setColor(0.7, 0.22, 0.2) end
  graphics.rectangle("fill", 0, 0, 640, 44)
  graphics.setColor(1, 1, 1)
  graphics.print(lobby.online and "online" or "offline: the lobby is shown as it was", 40, 14)
end

function love.keypressed(key)
  if key == "o" then
    setOnline(not lobby.online)
  elseif key == "r" then
    datasession.spawn(read):next(nil, fail)
  elseif key == "escape" then
    session:logout():always(function() love.event.quit() end)
  end
end
