--- A login at each application of the sandbox, by its name in server.uris: functions
-- (server, user, password, options) that return the promise of it. `options` are further ones, or nil.
local datasession = require "datasession"

local function with(options, more)
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

local function model(name, application)
  return function(server, user, password, options)
    return datasession.new(with({ serviceURI = server.uris[application or name], authenticationModel = name },
      options)):login(user, password)
  end
end

return {
  anonymous = model "anonymous", basic = model "basic", form = model "form", old = model("form", "old"),
  form_sso = function(server, user, password, options)
    return datasession.AuthenticationProvider(with({ uri = server.uris.form_sso,
      authenticationModel = "form_sso" }, options)):login(user, password)
  end,
  sso = function(server, user, password, options)
    return datasession.getSession(with({ serviceURI = server.uris.sso, authenticationModel = "sso",
      catalogURI = "static/CustomerService.json", authenticationURI = server.uris.form_sso, username = user,
      password = password }, options))
  end,
  bearer = function(server, _, _, options)
    return datasession.new(with({ serviceURI = server.uris.bearer, authenticationModel = "bearer" }, options))
      :login("letmein")
  end,
  datasnap = function(server, user, password, options)
    return datasession.new(with({ protocol = "datasnap", serviceURI = server.uris.datasnap }, options))
      :login(user, password)
  end,
  btt = function(server, _, _, options)
    return datasession.new(with({ protocol = "btt", serviceURI = server.uris.btt }, options)):login()
  end,
  proiv = function(server, user, password, options)
    return datasession.new(with({ protocol = "proiv", serviceURI = server.origin, sessionNodeID = "left",
      connectionData = { sessionType = "TELNET_SESSION", hostname = "vm.example", port = "9023",
      username = user, password = password } }, options)):login()
  end,
}
