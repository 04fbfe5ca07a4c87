--- The HTML pages that the applications serve.
local pages = {}

local function escape(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["\""] = "&quot;" }))
end

local function page(title, body)
  return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"UTF-8\"><title>%s</title></head>\n"
    .. "<body>\n%s\n</body>\n</html>\n"):format(escape(title), body)
end

--- The target of logins: what a client fetches to see that it is let in.
function pages.home(application)
  local name = application.path:sub(2)
  return page(name, ("<h1>%s</h1>\n<p>This web application runs.</p>"):format(escape(name)))
end

--- The form that a browser is sent to; `path` is that of the web application.
function pages.login(path)
  return page("Login", ([[
<form method="POST" action="%s/static/auth/j_spring_security_check">
<p><label>User <input type="text" name="j_username"></label></p>
<p><label>Password <input type="password" name="j_password"></label></p>
<p><input type="submit" name="submit" value="Submit"></p>
</form>]]):format(escape(path)))
end

--- The page after wrong credentials.
function pages.loginFailed()
  return page("Login", "<h1>Not logged in</h1>\n<p>The login failed. Please go back and try again.</p>")
end

--- The page after a logout.
function pages.loggedOut()
  return page("Logout", "<h1>Logged out</h1>\n<p>You are no longer logged in.</p>")
end

--- The servlet container's page where no web application is deployed.
function pages.noApplication(path)
  return page("HTTP Status 404 – Not Found", ([[
<h1>HTTP Status 404 – Not Found</h1>
<p><b>Type</b> Status Report</p>
<p><b>Message</b> The requested resource [%s] is not available</p>
<p><b>Description</b> The origin server did not find a current representation for the target resource or is
not willing to disclose that one exists.</p>
<h3>Apache Tomcat</h3>]]):format(escape(path)))
end

--- A page that has nothing to do with the application, as proxies and portals put in between.
function pages.intruder()
  return page("Welcome", "<h1>Welcome to this network</h1>\n<p>Please accept the terms of use.</p>")
end

return pages
