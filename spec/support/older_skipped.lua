-- The specs that spec/support/older.lua skips: file -> name -> reason. A name may be the first part of one.
local CLOSE = "it has a variable with <close>, or closes a coroutine, which the language cannot"
local EXAMPLE = "the example ends its session or channel by <close>, which the language lacks"
local FLOAT = "it needs integers beyond 2^53, or the difference between 1 and 1.0"
local COLLECTOR = "the language's collector has one mode"

local skipped = {
  ["spec/runtime/calm_spec.lua"] = { ["keeps its mode"] = COLLECTOR },
  ["spec/runtime/har_spec.lua"] = { ["ends with its variable"] = CLOSE },
  ["spec/runtime/promise_spec.lua"] = {
    ["runs the <close> variables of one that raised, and tells of their errors"] = CLOSE,
    ["takes a yield of values for an error"] = CLOSE,
    ["is cancelled though its <close> variables wait, raise, or cancel it again"] =
      "an await after the one that a cancel has ended does not return",
    ["rejects when the coroutine is closed or resumed by others"] = CLOSE,
    ["is collected with the coroutines that wait for it, whose <close> variables are closed"] = CLOSE,
    ["reports an error of those <close> variables, and has them wait for nothing"] = CLOSE,
  },
  ["spec/session/active_spec.lua"] = { ["ends closed when its variable does"] = CLOSE },
  ["spec/session/body_spec.lua"] = {
    ["ends the transfer when its variable goes out of scope"] = CLOSE,
  },
  ["spec/session/session_spec.lua"] = { ["when a variable to be closed goes out of scope"] = CLOSE },
  ["spec/runtime/time_spec.lua"] = { ["closes what a cancelled coroutine holds"] = CLOSE },
  ["spec/docs/customers_spec.lua"] = {
    ["shows the first records of another one, and changes nothing there"] = EXAMPLE,
  },
  ["spec/docs/export_spec.lua"] = { ["writes all pages of another one"] = EXAMPLE },
  ["spec/docs/quickstart_spec.lua"] = { ["logs out when it fails half-way"] = EXAMPLE },
  ["spec/protocol/datasnap/channel_spec.lua"] = {
    ["at the end of its block"] = CLOSE,
    ["lets a person talk to a server"] = EXAMPLE,
  },
  ["spec/sandbox/sandbox_spec.lua"] = { ["is closed by a to-be-closed variable"] = CLOSE },
}

local jit = {
  ["spec/data/filter_spec.lua"] = { ["writes integers beyond 2^53 exactly"] = FLOAT },
  ["spec/data/memory_spec.lua"] = {
    ["raises for ipairs over several tables"] = "ipairs is the one of compat53, whose line the error names",
  },
  ["spec/catalog/catalog_spec.lua"] = { ["puts in numbers with all their digits"] = FLOAT },
  ["spec/runtime/codec_spec.lua"] = {
    ["keeps every digit of a 64-bit integer"] = FLOAT,
    ["reads an integer beyond 64 bits as the nearest float"] = FLOAT,
    ["refuses a text with so many bytes that are not UTF-8 that no mark is left"] = FLOAT,
    ["keeps a float that its exponent puts beyond fifteen digits"] = FLOAT,
    ["writes integers in full"] = FLOAT,
    ["knows the arrays of another codec, also beside numbers to repair"] = FLOAT,
    ["hands texts and values on untouched"] = FLOAT,
    ["says so"] = FLOAT,
  },
  ["spec/runtime/interrupt_spec.lua"] = {
    ["leaves a handler that never ends"] = "a compiled loop calls no hook",
  },
  ["spec/session/request_spec.lua"] = {
    ["a value as JSON, its numbers exact"] = FLOAT,
    ["a query by name or in order, encoded, after the one of the path"] = FLOAT,
    ["that has status, ok, headers, body, uri, timing and json"] = FLOAT,
  },
}

if rawget(_G, "jit") then
  for path, names in pairs(jit) do
    skipped[path] = skipped[path] or {}
    for name, reason in pairs(names) do skipped[path][name] = reason end
  end
end

return skipped
