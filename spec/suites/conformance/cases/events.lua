-- Section 8: events.
local say = require "say"

local a, b = say.handler "a", say.handler "b"

-- The steps that make each session of a case fire: it goes offline, it comes back.
local function gone(...)
  local steps = { ... }
  for _, step in ipairs { { "stop" }, { "isAuthorized" }, { "start" },
    { "isAuthorized" } } do steps[#steps + 1] = step end
  return steps
end

local cases = {
  { name = "handlers run in the order of subscription", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", b }, { "subscribe", "offline", a },
      { "subscribe", "online", a }) },
  { name = "the same handler subscribed twice", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a }, { "subscribe", "offline", b },
      { "subscribe", "offline", a }) },
  { name = "a handler with a scope", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a, say.scope "x" },
      { "subscribe", "offline", a, say.scope "y" }) },
  { name = "a handler with and without a scope", sections = { "8" }, from = "login",
    steps = gone(
      { "subscribe", "offline", a }, { "subscribe", "offline", a, say.scope "x" },
      { "unsubscribe", "offline", a }) },
  { name = "event names in any case", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "OffLine", a }, { "subscribe", "ONLINE", a },
      { "unsubscribe", "online", a }) },
  { name = "unsubscribe", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a }, { "unsubscribe", "offline", a }) },
  { name = "unsubscribe what was not subscribed", sections = { "8" }, from = "login",
    steps = { { "unsubscribe", "offline", a } } },
  { name = "unsubscribe with another scope", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a, say.scope "x" },
      { "unsubscribe", "offline", a, say.scope "y" }) },
  { name = "unsubscribeAll", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a, say.scope "x" }, { "unsubscribeAll" }) },
  { name = "unsubscribeAll of an event, scopes given", sections = { "8" }, from = "new",
    steps = { { "unsubscribeAll" }, { "subscribe", "offline", a, say.scope "x" },
      { "subscribe", "online", b, say.scope "x" }, { "login" }, { "unsubscribeAll", "offline" }, { "stop" },
      { "isAuthorized" }, { "start" }, { "isAuthorized" } } },
  { name = "unsubscribeAll of an event, no scopes", sections = { "8" }, from = "login",
    steps = gone({ "subscribe", "offline", a }, { "unsubscribeAll", "offline" }) },
  { name = "unsubscribeAll of an unknown event", sections = { "8" }, from = "new",
    steps = { { "unsubscribeAll", "afterFill" } } },
  { name = "unsubscribeAll of a number", sections = { "8" }, from = "new",
    steps = { { "unsubscribeAll", 7 } } },
  { name = "events of a data request", each = { "anonymous", "basic", "form" }, sections = { "8", "9" },
    from = "catalog", steps = { { "stop" }, { "read" }, { "start" }, { "read" } } },
  { name = "a data request that fails", each = { "basic", "form" }, sections = { "8", "9" }, from = "catalog",
    steps = { { "ping" }, { "fault", { kind = "status", status = 500, path = "/rest/CustomerService/" } },
      { "read" },
      { "read" } } },
  { name = "a data request after the session has expired", sections = { "8", "9" }, from = "catalog",
    steps = { { "ping" }, { "expireSessions" }, { "read" } } },
  { name = "no events for logout and invalidate", sections = { "8", "6.2" }, from = "login",
    steps = { { "logout" }, { "login" }, { "invalidate" } } },
  { name = "a handler of online that throws", sections = { "8" }, from = "new",
    steps = { { "subscribe", "online", say.handler("a", true) }, { "subscribe", "online", b },
      { "login" } } },
  { name = "a handler of offline that throws", sections = { "8" }, from = "login",
    steps = { { "subscribe", "offline", say.handler("a", true) }, { "subscribe", "offline", b }, { "stop" },
      { "isAuthorized" } } },
}

local bad = {
  { "no event", say.none, a },
  { "null for an event", say.null, a },
  { "an empty event", "", a },
  { "a number for an event", 7, a },
  { "an unknown event", "afterFill", a },
  { "no handler", "online" },
  { "a string for a handler", "online", "a" },
  { "a string for a scope", "online", a, "x" },
  { "null for a scope", "online", a, say.null },
}
for _, verb in ipairs { "subscribe", "unsubscribe" } do
  for _, given in ipairs(bad) do
    cases[#cases + 1] = { name = verb .. " with " .. given[1], sections = { "8", "5.2" }, from = "new",
      steps = {
      { verb, table.unpack(given, 2) } } }
  end
end

return cases
