-- docs/messages.md has every message that the sources have, and no other.
local messages = dofile "tools/messages.lua"

it("the page of messages differs in nothing from the sources", function()
  assert.same({}, messages.differences())
end)

it("messages are found in every form that the sources give them", function()
  local found = messages.collect()
  for _, message in ipairs {
    "request: expected either option 'path' or option 'uri'", -- luaL_error
    "expected a number of seconds, 0 or more", -- luaL_argerror
    "this user is not allowed to do that", -- a phrase that a function returns
    "the application asks for HTTP Basic", -- in a table
    "check serviceURI, and that the application is deployed and started", -- a hint
    "the session is logged in already: call logout first", -- operation_refuse
    "the server says: …", -- a format, which begins with a mark
    -- of two lines
    "is this an HTTP server, and is the port right? if it speaks TLS, the URI begins with https://",
    "getSession: option '…': expected a string, got …", -- error of Lua
    "getSession: the authentication model … needs …, or a loginCallback", -- message of an error object
    -- escapes
    "format.classify: expected it to return nil, \"ok\", \"inactivity\", \"connection\" or \"error\", got …",
  } do
    assert.is_table(found[message], message)
  end
  for text in pairs(found) do
    assert.is_nil(text:find "%%s", text)
    assert.is_nil(text:find "^%l+/[%w/_]+%.h$", text)
  end
end)
