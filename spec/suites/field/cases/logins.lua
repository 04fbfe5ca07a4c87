--- No login is left behind: Tomcat is asked who is logged in, before it is stopped and forgets.
local applications = require "field.support.applications"
local checks = require "field.support.checks"
local client = require "field.support.client"

return function(field)
  checks.at "logins"
  local kind = { path = "anonymous", model = "anonymous" }
  local application = applications.at(field.tomcat, kind, "http", "HTTP")
  local session = client.open(application)
  local response = checks.resolves(session:request { path = "logins" }, "Tomcat's word")
  checks.equal("", response and response.body, "who is still logged in")
  client.close(session)
end
