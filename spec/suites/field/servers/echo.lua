-- Answers with the body that it was sent.
function handle(r) -- luacheck: ignore 111
  r.content_type = "application/octet-stream"
  r:write(r:requestbody() or "")
  return apache2.OK -- luacheck: ignore 113
end
