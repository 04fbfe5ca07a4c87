--- The secrets that a sandbox has received, and a search for them in what a program was shown.
local secrets = {}

-- Adds a secret, and the parts by which it could be recognised.
local function add(list, value)
  if value and #value >= 6 then list[#list + 1] = value end
end

local function addFields(list, text, names)
  for name, value in (text or ""):gmatch "([%w_]+)=([^&;]*)" do
    if names[name:lower()] then add(list, value) end
  end
end

local FIELDS = { j_password = true, password = true, jsessionid = true, session_key = true, sid = true,
  dse_sessionid = true, sessionid = true, refresh_token = true }

--- The passwords, tokens, cookies and ids of a server's requests.
-- @param password string: one that was used
function secrets.of(server, password)
  local list = { password }
  for _, request in ipairs(server:requests()) do
    local headers = request.headers
    add(list, headers.authorization and headers.authorization:match " (.+)$")
    addFields(list, headers.cookie, FIELDS)
    addFields(list, headers.pragma, { dssession = true })
    addFields(list, request.uri:gsub("^[^;?]*", "", 1), FIELDS)
    addFields(list, request.body, FIELDS)
  end
  return list
end

-- All texts in a value, its tables' fields and its tostring.
local function texts(value, found, seen)
  found[#found + 1] = tostring(value)
  if type(value) ~= "table" or seen[value] then return found end
  seen[value] = true
  for name, member in pairs(value) do
    texts(name, found, seen)
    texts(member, found, seen)
  end
  return found
end

--- The first secret that occurs in a value; nil: none does.
function secrets.find(list, value)
  for _, text in ipairs(texts(value, {}, {})) do
    for _, secret in ipairs(list) do
      if text:find(secret, 1, true) then return secret, text end
    end
  end
end

return secrets
