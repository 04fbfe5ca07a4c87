--- The kinds of requests that the suite of failing networks tries: those of each file of kinds/, to be
-- extended. Each kind:
--   name    of the request
--   key     the request that is to go wrong: "METHOD path" without parameters
--   make    function(origin, options): a subject, a table with what the other functions need; sends nothing
--   ready   function(subject): makes it ready for the call, whatever happened to it before; raises if it
--                              cannot
--   call    function(subject): the promise
--   arm     function(subject, server) or nil: called before `call`, for faults that belong to the kind
--   skips   array or nil: of which sorts of case it has none, since its call sends other requests before that
--                         one
--           ("fresh") or after it ("after"; unsafe ones: "ended" too), or goes on when it is cancelled
--                                                        ("cancel")
--   once    true: its one request must not be sent again
--   returns true: its session comes back, and sends again what the server cannot have seen
--   hangs   true: its answer has no limit of time
--   grain   number: the answer is so large that only every such byte, or a multiple, is tried
--   sends   number: how many bytes its request has; the large body is that one
--   instead table or nil: by what other kinds come to, what this one does: a string or an array of them
--   lasting table or nil: the same for faults that do not pass ("count = 0")
-- A file gets what they share, and returns { kinds = ..., answers = ... }; `answers`: by key, the bytes of
-- the good answer.
local here = debug.getinfo(1, "S").source:match "^@(.*)/[^/]*$"

local common = {
  LIMIT = 20, -- seconds after which a promise that is not settled is a failure
}

--- An answer's bytes.
function common.message(status, headers, body)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status, headers, #body, body)
end

--- Options of a session, with those of the suite.
function common.copy(options, more)
  local mine = { proxy = false }
  for _, from in ipairs { more or {}, options or {} } do
    for name, value in pairs(from) do mine[name] = value end
  end
  return mine
end

--- A kind's `make` for sessions with these options below `path`.
function common.maker(path, more)
  return function(origin, options)
    local mine = common.copy(options, more)
    mine.serviceURI = origin .. path
    return { session = require "datasession".new(mine) }
  end
end

--- A kind's `call`: that method, whose value must be what `holds` says, lest it is the answer to another
-- request.
function common.caller(method, holds, ...)
  local arguments = table.pack(...)
  return function(subject)
    local promise = subject.session[method](subject.session, table.unpack(arguments, 1, arguments.n))
    if not holds then return promise end
    return promise:next(function(value)
      assert(holds(value, subject), "the answer to another request")
      return value
    end)
  end
end

--- For kinds that take the end of the line for an answer.
common.ANYWAY = { connect = "ok", protocol = "ok", stall = "ok", timeout = "ok" }

local all = { kinds = {}, answers = {} }

for _, name in ipairs { "jsdo", "data", "datasnap", "btt", "proiv", "own", "reconnect", "flow", "large" } do
  local part = assert(loadfile(("%s/kinds/%s.lua"):format(here, name)))(common)
  table.move(part.kinds, 1, #part.kinds, #all.kinds + 1, all.kinds)
  for key, bytes in pairs(part.answers) do all.answers[key] = bytes end
end

return all
