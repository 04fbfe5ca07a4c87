--- The four session systems of the sandbox, for specs that try the same with each.
-- A table for each: `options()` for datasession.new; `credentials` for login; `ask(session)`: a call that the
-- server answers when the session is well; `lose()`: the server ends the session; `getSession`: more options.
local systems = {}

--- A call that each application of JSDO's answers.
function systems.customers(session)
  return session:request { path = "/rest/CustomerService/Customer" }
end

--- @param server function(): the sandbox
function systems.of(server)
  return {
    jsdo = {
      options = function() return { serviceURI = server().uris.form, authenticationModel = "form" } end,
      credentials = { "lua", "secret" },
      ask = systems.customers,
      lose = function() server():expireSessions "form" end,
      getSession = { username = "lua", password = "secret", catalogURI = "static/CustomerService.json" },
    },
    datasnap = {
      options = function() return { protocol = "datasnap", serviceURI = server().uris.datasnap } end,
      credentials = { "lua", "secret" },
      ask = function(session) return session:invoke("TStock", "Level", { "A/7", 3 }) end,
      lose = function() server():expireSessions "datasnap" end,
      getSession = { username = "lua", password = "secret" },
    },
    btt = {
      options = function()
        return { protocol = "btt", serviceURI = server().uris.btt, reconnect = { delay = 0.01 } }
      end,
      credentials = {},
      ask = function(session) return session:invoke("RateLookup", { ccy = "SEK" }) end,
      lose = function() server():expireSessions "btt" end,
      getSession = {},
    },
    proiv = {
      options = function()
        return {
          protocol = "proiv", serviceURI = server().origin, sessionNodeID = "left",
          connectionData = { service = "Orders" },
        }
      end,
      credentials = {},
      ask = function(session) return session:ping() end,
      lose = function() server():expireSessions "proiv" end,
      getSession = {},
    },
  }
end

return systems
