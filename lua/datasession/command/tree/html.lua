--- Catalogs as one HTML file with a search field.

local plain = require "datasession.command.tree.plain"

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape(text) return (tostring(text or ""):gsub('[&<>"]', ENTITIES)) end

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #888; --mark: #06c; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem 1.5rem 4rem; }
input { font: inherit; width: 100%%; box-sizing: border-box; padding: .5rem .75rem; position: sticky;
  top: .5rem; border: 1px solid var(--line); border-radius: .4rem; }
h2 { margin: 2rem 0 .25rem; }
.uri { color: var(--soft); font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .35rem .75rem; }
summary { cursor: pointer; font-weight: 600; }
table { border-collapse: collapse; width: 100%%; margin: .5rem 0; }
td, th { text-align: left; padding: .15rem .75rem .15rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
.verb { color: var(--mark); font-family: ui-monospace, monospace; }
[hidden] { display: none; }
</style>
</head>
<body>
<h1>%s</h1>
<input id="search" type="search" placeholder="Search resources, operations, fields" aria-label="Search"
  autofocus>
]]

local SCRIPT = [[
<p id="none" hidden>Nothing is called that.</p>
<script>
const search = document.getElementById("search"), none = document.getElementById("none");
search.addEventListener("input", () => {
  const word = search.value.trim().toLowerCase();
  let shown = 0;
  for (const one of document.querySelectorAll("details")) {
    const named = one.dataset.name.includes(word);
    let rows = 0;
    for (const row of one.querySelectorAll("tr[data-name]")) {
      row.hidden = !named && !row.dataset.name.includes(word);
      rows += !row.hidden;
    }
    one.hidden = !named && !rows;
    one.open = word !== "" && !one.hidden;
    shown += !one.hidden;
  }
  none.hidden = shown > 0;
});
</script>
</body>
</html>
]]

local function row(name, ...)
  local cells = {}
  for i, text in ipairs { ... } do cells[i] = "<td>" .. text .. "</td>" end
  return ('<tr data-name="%s">%s</tr>'):format(escape(name:lower()), table.concat(cells))
end

local function operations(out, resource)
  out[#out + 1] = "<table><tr><th>operation</th><th>verb</th><th>URI</th></tr>"
  for _, one in ipairs(resource.operations) do
    local name = one.name and one.type .. " " .. one.name or one.type
    out[#out + 1] = row(name, escape(name), '<span class="verb">' .. escape(one.verb) .. "</span>",
      '<span class="uri">' .. escape(one.uri) .. "</span>")
  end
  out[#out + 1] = "</table>"
end

local function fields(out, one)
  local keys = {}
  for _, name in ipairs(one.primaryKey) do keys[name] = true end
  out[#out + 1] = ("<table><tr><th>%s</th><th>type</th><th>ABL type</th><th></th></tr>"):format(
    one.name == "" and "field" or "field of " .. escape(one.name))
  for _, field in ipairs(one.fields) do
    out[#out + 1] = row(field.name, escape(field.name), escape(field.type), escape(field.ablType),
      keys[field.name] and "key" or "")
  end
  out[#out + 1] = "</table>"
end

return function(catalogs)
  local services = plain.services(catalogs)
  local title = escape(services[1] and services[1].name or "Catalog")
  local out = { HEAD:format(title, title) }
  for _, service in ipairs(services) do
    out[#out + 1] = ('<h2>%s</h2><div class="uri">%s</div>'):format(escape(service.name), escape(service.uri))
    for _, resource in ipairs(service.resources) do
      out[#out + 1] = ('<details data-name="%s"><summary>%s</summary>'):format(escape(resource.name:lower()),
        escape(resource.name))
      operations(out, resource)
      for _, one in ipairs(resource.tables) do fields(out, one) end
      out[#out + 1] = "</details>"
    end
  end
  out[#out + 1] = SCRIPT
  return table.concat(out, "\n")
end
