--- Reads libcurl's notes about connections: addresses, TLS, the certificate, the version of HTTP. libcurl
-- gives these in words alone, which differ between its versions, so each of them may be missing.

local datasession = require "datasession"
local recording = require "datasession.command.recording"

local wire = {}

local MONTHS = {
  Jan = "01", Feb = "02", Mar = "03", Apr = "04", May = "05", Jun = "06", Jul = "07", Aug = "08", Sep = "09",
  Oct = "10", Nov = "11", Dec = "12",
}

--- The seconds since the epoch of a time such as "Sun, 06 Nov 1994 08:49:37 GMT" (HTTP) or
-- "Nov  6 08:49:37 1994 GMT" (libcurl); nil for another text.
function wire.time(words)
  local day, month, year, clock = words:match "(%d+) (%a%a%a) (%d%d%d%d) (%d%d:%d%d:%d%d) GMT"
  if not day then month, day, clock, year = words:match "(%a%a%a) +(%d+) (%d%d:%d%d:%d%d) (%d%d%d%d) GMT" end
  if not (day and MONTHS[month]) then return nil end
  local text = ("%s-%s-%02dT%s+00:00"):format(year, MONTHS[month], tonumber(day), clock)
  local date = datasession.date.parse(text)
  return date and datasession.date.toEpoch(date)
end

local function addAddress(seen, address)
  if seen.known[address] then return end
  seen.known[address] = true
  table.insert(seen.addresses, address)
end

-- Versions of libcurl, and its TLS libraries, say it so.
local VERIFIED = {
  "^SSL certificate verify ok", "^SSL certificate verified via", "^%s*server certificate verification OK",
}

local function note(seen, text)
  local address = text:match "^Trying %[?([%x.:]-)%]?:?%d*%.%.%."
  if address then addAddress(seen, address) end
  local host, ip, port = text:match "^Connected to (%S+) %(([%x.:]+)%) port (%d+)"
  if host then seen.connected = ("to %s port %s"):format(ip, port) end
  local tls = text:match "^SSL connection using (.*)$"
  if tls then seen.tls = tls:gsub(" / ", ", "):gsub(", %[?blank%]?.*$", "") end
  local subject = text:match "^subject: (.*)$"
  if subject then seen.subject = subject end
  local issuer = text:match "^issuer: (.*)$"
  if issuer then seen.issuer = issuer end
  for _, words in ipairs(VERIFIED) do seen.verified = seen.verified or text:find(words) ~= nil end
  seen.matched = text:match "^subjectAltName: host .* matched cert's (.-)!?$" or seen.matched
  local expires = text:match "^expire date: (.*)$"
  if expires then seen.expires = wire.time(expires) end
  if text:find "ALPN.*accept.*h2" then seen.http = "HTTP/2" end
end

--- Calls a function, and tells what the connections that it made were like.
-- @return { addresses = array, connected =, tls =, subject =, issuer =, expires = seconds since the epoch,
--   matched =, verified =, http = }, each but `addresses` nil where libcurl did not say it
function wire.listen(f)
  local seen = { addresses = {}, known = {} }
  recording.listen(f, function(line)
    local text = line:match "^%* (.*)$"
    if text then note(seen, text) end
  end)
  return seen
end

return wire
