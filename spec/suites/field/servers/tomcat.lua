--- Tomcat 10 or 11: FORM that answers with 401, FORM that answers with pages, BASIC with a session and
-- without, tokens; one that expires after two seconds. A connection ends after a hundred requests, as Tomcat
-- has it.
local files = dofile "spec/support/files.lua"
local server = require "field.support.server"
local shell = dofile "spec/support/shell.lua"
local template = require "field.support.template"
local users = require "field.support.users"

local function isThere(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local BOOTSTRAP = "/bin/bootstrap.jar"
local HOME = isThere("/usr/share/tomcat10" .. BOOTSTRAP) and "/usr/share/tomcat10" or "/usr/share/tomcat11"

local tomcat = {
  program = HOME .. BOOTSTRAP,
  applications = {
    { path = "anonymous", model = "anonymous", echo = "echo" },
    { path = "basic", model = "basic", echo = "echo" },
    { path = "basicsession", model = "basic", echo = "echo" },
    { path = "bearer", model = "bearer", echo = "echo" },
    { path = "form", model = "form", echo = "echo" },
    { path = "pages", model = "form", echo = "echo" },
    { path = "sso", model = "sso", echo = "echo" },
  },
}

local CONSTRAINTS = [[
  <security-constraint>
    <web-resource-collection><web-resource-name>open</web-resource-name>
      <url-pattern>/static/auth/*</url-pattern><url-pattern>/login</url-pattern></web-resource-collection>
  </security-constraint>
  <security-constraint>
    <web-resource-collection><web-resource-name>all</web-resource-name>
      <url-pattern>/*</url-pattern></web-resource-collection>
    <auth-constraint><role-name>user</role-name></auth-constraint>
  </security-constraint>
  <login-config><auth-method>%s</auth-method><realm-name>field</realm-name>
    <form-login-config>
      <form-login-page>/login</form-login-page><form-error-page>/login</form-error-page>
    </form-login-config>
  </login-config>
  <security-role><role-name>user</role-name></security-role>]]

local BASIC = [[
  <Valve className="org.apache.catalina.authenticator.BasicAuthenticator"
    charset="UTF-8" alwaysUseSession="%s"/>]]

-- The lines of web.xml and context.xml for each application.
local kinds = {
  anonymous = {}, bearer = {}, sso = {},
  tokens = { security = CONSTRAINTS:format "FORM", seconds = 600 },
  shorttokens = { model = "tokens", security = CONSTRAINTS:format "FORM", seconds = 2 },
  basic = { security = CONSTRAINTS:format "BASIC", valve = BASIC:format "false" },
  basicsession = { security = CONSTRAINTS:format "BASIC", valve = BASIC:format "true" },
  form = { security = CONSTRAINTS:format "FORM" },
  pages = { security = CONSTRAINTS:format "FORM" },
  brief = { security = CONSTRAINTS:format "FORM", seconds = 2 },
}

local HOST = "/conf/Catalina/localhost/" -- where a virtual host's applications are named

local function writeApplication(self, name, kind)
  local values = {
    DIR = self.directory, NAME = name, VALVE = kind.valve or "", MODEL = kind.model or name,
    TOKEN = users.token, SECURITY = kind.security or "", SECONDS = kind.seconds or 600,
  }
  local directory = self.directory .. "/applications/" .. name
  shell.run("mkdir -p", directory .. "/WEB-INF")
  template.write("tomcat-web.xml", directory .. "/WEB-INF/web.xml", values)
  template.write("application.jsp", directory .. "/application.jsp", values)
  template.write("Catalog.json", directory .. "/Catalog.json", values)
  template.write("tomcat-context.xml", self.directory .. HOST .. name .. ".xml", values)
end

local USER = '<user username="%s" password="%s" roles="%s"/>\n'

local function writeUsers(self)
  local lines = {}
  for name, role in pairs { lua = "user", utf8 = "user", guest = "guest" } do
    local user = users[name]
    lines[#lines + 1] = USER:format(user.name, user.password, role)
  end
  files.write(self.directory .. "/conf/users.xml",
    '<?xml version="1.0" encoding="UTF-8"?>\n<tomcat-users>\n' .. table.concat(lines) .. "</tomcat-users>\n")
end

local DEFAULTS = [[<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>development</param-name><param-value>false</param-value></init-param></servlet>
</web-app>
]]

function tomcat.new(around)
  local self = server.new(around, "tomcat", { "HTTP", "TLS", "HTTPTWO" })
  self.applications = tomcat.applications
  self.log = self.directory .. "/logs/access.log"
  for _, name in ipairs { HOST, "/logs", "/temp", "/webapps" } do
    shell.run("mkdir -p", self.directory .. name)
  end
  for name, kind in pairs(kinds) do writeApplication(self, name, kind) end
  writeUsers(self)
  files.write(self.directory .. "/conf/web.xml", DEFAULTS)
  self:configure("tomcat-server.xml", "conf/server.xml")
  self:run("java", "-Xmx384m", "-XX:TieredStopAtLevel=1",
    "-cp", HOME .. BOOTSTRAP .. ":" .. HOME .. "/bin/tomcat-juli.jar", "-Dcatalina.home=" .. HOME,
    "-Dcatalina.base=" .. self.directory, "-Djava.io.tmpdir=" .. self.directory .. "/temp",
    "org.apache.catalina.startup.Bootstrap", "start")
  return self
end

return tomcat
