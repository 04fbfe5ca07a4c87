-- write.lua DIRECTORY: writes documents by `datasession tree --openapi`: of the catalog of the sandbox, and
-- of one with names and types that are rare. Prints their paths, one a line.
local sandbox = require "datasession.sandbox"

local directory = assert(..., "expected a directory")

local RARE = [[{ "version": "1.4", "lastModified": "", "services": [{
  "name": "Rare", "address": "/rest/Rare", "settings": { "useRequest": true, "sendSchema": false },
  "resources": [{
    "name": "Döner/\"Kebab\" 50%", "path": "/a b/{id}",
    "schema": { "type": "object", "additionalProperties": false, "properties": { "ds": {
      "type": "object", "additionalProperties": false, "properties": { "tt": { "type": "array",
        "primaryKey": ["_id"], "items": { "additionalProperties": false, "properties": {
          "_id": { "type": "string" },
          "when": { "type": "string", "format": "date-time", "ablType": "DATETIME-TZ" },
          "many": { "type": "array", "ablType": "INTEGER", "maxItems": 3, "items": { "type": "integer" } },
          "blob": { "type": ["string", "null"], "ablType": "BLOB" } } } } } } } },
    "operations": [
      { "path": "?filter={filter}", "useBeforeImage": false, "type": "read", "verb": "get", "params": [] },
      { "path": "", "type": "create", "verb": "post", "params": [{ "name": "ds", "type": "REQUEST_BODY" }] },
      { "name": "A.b", "path": "/A?x={x}", "type": "invoke", "verb": "put", "params": [
        { "name": "x", "type": "QUERY" }, { "name": "y", "type": "REQUEST_BODY,RESPONSE_BODY" }] }] }] }] }]]

local function write(name, text)
  local path = directory .. "/" .. name
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
  return path
end

local function document(name, catalog)
  local pipe = assert(io.popen(("bin/datasession tree '%s' --openapi"):format(catalog)))
  local text = pipe:read "a"
  assert(pipe:close(), catalog)
  print(write(name, text))
end

local server <close> = assert(sandbox.start())
document("sandbox.json", server:catalogURI "anonymous")
document("rare.json", write("rare.catalog", RARE))
