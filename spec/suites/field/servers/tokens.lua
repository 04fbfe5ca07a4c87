-- The token server: one token for who knows the password, and for who brings the refresh token.
function handle(r) -- luacheck: ignore 111
  local body = r.method == "POST" and r:requestbody() or ""
  local refreshed = r.uri:find("/token$") and body:find('"REFRESH-@TOKEN@"', 1, true)
  local known = body:find("j_username=lua&", 1, true) and body:find("j_password=@PASSWORD@", 1, true)
  if r.method ~= "POST" then return apache2.OK end -- luacheck: ignore 113
  if not refreshed and not known then
    r.status = 401
    return apache2.OK -- luacheck: ignore 113
  end
  r.content_type = "application/json"
  r:write('{"token_type":"oecp","expires_in":600,"access_token":"@TOKEN@","refresh_token":"REFRESH-@TOKEN@"}')
  return apache2.OK -- luacheck: ignore 113
end
