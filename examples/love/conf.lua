function love.conf(t)
  t.identity = "datasession-lobby"
  t.window.title, t.window.width, t.window.height = "Lobby", 640, 360
  for _, unused in ipairs { "audio", "joystick", "physics", "sound", "touch", "video" } do
    t.modules[unused] = false
  end
end
