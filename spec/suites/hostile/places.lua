--- A good catalog that has one of everything, and what can be wrong with it: each value in it replaced by
-- each wrong one.
local codec = require "datasession.internal.codec"

local places = {}

function places.good()
  return {
    version = "1.4", lastModified = "Fri Mar 01 09:00:00 UTC 2024",
    services = { {
      name = "S", address = "/rest/S", useRequest = true,
      settings = { useRequest = true, sendOnlyChanges = false, unwrapped = false, useXClientProps = true },
      resources = { {
        name = "R", path = "/R", idProperty = "id",
        schema = { type = "object", properties = { ds = { type = "object", properties = {
          parent = { type = "array", primaryKey = { "id" }, items = { properties = {
            id = { type = "integer", ablType = "INTEGER", default = 0, origName = "i-d", format = ">9" },
            list = { type = "array", ablType = "DECIMAL", maxItems = 3, items = { type = "number" } },
          } } },
          child = { type = "array", items = { properties = { of = { type = "integer" } } } },
        } } } },
        relations = {
          { relationName = "down", parentName = "parent", childName = "child",
            relationFields = { { parentFieldName = "id", childFieldName = "of" } } },
          { relationName = "up", parentName = "child", childName = "parent",
            relationFields = { { parentFieldName = "of", childFieldName = "id" } } },
        },
        operations = {
          { type = "read", name = "read", path = "?filter={filter}", verb = "get", useBeforeImage = true,
            mergeMode = 1, mappingType = "JFP", capabilities = "top,skip",
            params = { { name = "filter", type = "QUERY", xType = "CHARACTER" } } },
          { type = "invoke", name = "go", path = "/go/{id}", verb = "put",
            params = { { name = "id", type = "PATH" } } },
        },
      } },
    } },
  }
end

--- One of each kind, and some that a decoder or a program may stumble over.
local WRONG = { codec.null, true, 0, -1.5, 1e308, "", "\0", ("x"):rep(5000), "..", "\r\nX-Evil: 1", "{",
  codec.array(),
  codec.array { codec.array() }, codec.array { codec.null }, codec.array { 7 }, {}, { properties = {} },
  { name = { name = "x" } }, { ["$ref"] = "#" } }

--- For texts: what a reader of markup, or who gives a value back, may stumble over.
local TEXTS = { "", "\0", "\xff\xfe", ("x"):rep(5000), "&#13;&#10;X-Evil: 1", "\r\nX-Evil: 1", "&#0;",
  "&#x110000;", "&lt;", "&", "&nosuch;", "<", ">", "<a>", "</a>", "<!--", "<![CDATA[", "]]>", "<?x", '"', "'",
  "-1",
  "1e400", "CSS00", "OK", "null", "\27[31m", ("<a>"):rep(100), ("<a/>"):rep(100) }

local function walk(value, path, found)
  for key, inner in pairs(value) do
    local place = { table.unpack(path) }
    place[#place + 1] = key
    found[#found + 1] = place
    if type(inner) == "table" then walk(inner, place, found) end
  end
end

local function put(document, place, value)
  local at = document
  for i = 1, #place - 1 do at = at[place[i]] end
  at[place[#place]] = value
end

--- Calls f(text, place) for each place and each wrong value, the whole document included, and for each place
-- left out.
-- @param f a function
-- @param make gives a document, new each time; places.good unless given
function places.each(f, make)
  make = make or places.good
  local all = {}
  walk(make(), {}, all)
  for _, place in ipairs(all) do
    local name = table.concat(place, ".")
    for _, wrong in ipairs(WRONG) do
      local document = make()
      put(document, place, wrong)
      f(assert(codec.encode(document)), name)
    end
    if type(place[#place]) == "string" then
      local document = make()
      put(document, place, nil)
      f(assert(codec.encode(document)), name)
    end
  end
  for _, wrong in ipairs(WRONG) do f(assert(codec.encode(wrong)), "the document") end
end

--- The same for markup: each value that the pattern captures, replaced by each wrong text.
-- @param text of a document in XML or HTML
-- @param pattern has one capture, a value that is not empty
-- @param f called with (text, value)
function places.eachMatch(text, pattern, f)
  for from, value, to in text:gmatch("()" .. pattern .. "()") do
    local whole = text:sub(from, to - 1)
    local at = from + whole:find(value, 1, true) - 1
    for _, wrong in ipairs(TEXTS) do f(text:sub(1, at - 1) .. wrong .. text:sub(at + #value), value) end
  end
end

--- The text of a catalog of so many resources, with two operations each.
function places.large(count)
  local list = {}
  for i = 1, count do
    list[i] = ('{"name":"R%d","path":"/R%d","operations":[{"type":"read","path":"?f={f}"},{"name":"go"}]}')
      :format(i, i)
  end
  local head = '{"version":"1.4","services":[{"name":"S","address":"/rest/S","resources":['
  return head .. table.concat(list, ",") .. "]}]}"
end

return places
