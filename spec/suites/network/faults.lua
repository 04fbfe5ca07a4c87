--- The faults of one answer: lists of cases, made from the bytes of the good one. A case:
--   name     of what goes wrong
--   script   for the fault server, or a function that returns it
--   expect   what will do: a string or an array of them; "ok", or kinds of error
--   when     see the fault server; "request" by default
--   count    how many such requests get it; 1 by default, 0: all
--   fresh    the request is not to go out on a kept connection
--   before   "close" or "reset": what the server does with kept connections just before the request
--   gated    the script is driven step by step
--   resent   libcurl takes it for the end of a kept connection, and would send the request again
--   cancel   the call is cancelled when the script pauses
--   ended    the connection ends after a whole answer: who then sends what is not to be sent twice may hear
--                                                      so too late
--   after    it is released once more after the call; "maybe": if the client still listens
local fault_server = require "fault_server"

local PAUSE, READ, CLOSE, RESET, WAIT = fault_server.PAUSE, fault_server.READ, fault_server.CLOSE,
  fault_server.RESET, fault_server.WAIT

local faults = {}

local POISON = "HTTP/1.1 500 Poison\r\nContent-Length: 6\r\n\r\npoison"

--- Head (with its blank line) and body.
function faults.split(good)
  local _, last = good:find("\r\n\r\n", 1, true)
  return good:sub(1, last), good:sub(last + 1)
end

-- The good answer with its length told otherwise: `lines` in place of the Content-Length line.
local function framed(good, lines, body)
  local head = faults.split(good)
  return (head:gsub("Content%-Length: %d+\r\n", function() return lines end)) .. body
end

local function chunk(text)
  return ("%x\r\n%s\r\n"):format(#text, text)
end

function faults.chunked(good, trailers)
  local _, body = faults.split(good)
  local half = #body // 2
  return framed(good, "Transfer-Encoding: chunked\r\n",
    chunk(body:sub(1, half)) .. chunk(body:sub(half + 1)) .. "0\r\n" .. (trailers or "") .. "\r\n")
end

local function withHead(good, lines)
  return (good:gsub("\r\n", function() return "\r\n" .. lines end, 1))
end

local function withStatusLine(good, line)
  return (good:gsub("^[^\r]*", function() return line end))
end

local ENDS = { close = CLOSE, reset = RESET }

-- Cut short, the answer is no answer; but on a kept connection libcurl takes less than a line for nothing;
-- and after chunks it does not wait for the very last byte.
local function cutAfter(good, n, how, label)
  local resent = n < good:find("\n", 1, true)
  local whole = n == #good - 1 and good:sub(-4) == "\r\n\r\n"
  return { name = ("%s, %s after byte %d"):format(label, how, n), script = { good:sub(1, n), ENDS[how] },
    resent = resent, expect = (resent or whole) and { "ok", "connect" } or "connect" }
end

--- Cut after every `stride`-th byte, and after the last.
-- @param good bytes that are to be cut
-- @param how "close" or "reset"
-- @param stride 1: every byte
-- @param label for the names
-- @param final what will do when nothing was missing
function faults.cuts(good, how, stride, label, final)
  local list = {}
  for n = 1, #good - 1, stride do
    list[#list + 1] = cutAfter(good, n, how, label)
  end
  list[#list + 1] = { name = ("%s, %s after all of it"):format(label, how), script = { good, ENDS[how] },
    ended = true, expect = final }
  return list
end

--- A large answer cut amid its body, after every `stride`-th byte; each script is made when it is needed.
function faults.largeCuts(good, how, stride)
  local list = {}
  for n = #faults.split(good), #good - 1, stride do
    list[#list + 1] = { name = ("%s after byte %d"):format(how, n), expect = "connect",
      script = function() return { good:sub(1, n), ENDS[how] } end }
  end
  return list
end

--- The server ends the connection when it has every `stride`-th byte of a request of `size` bytes, and more.
function faults.deafness(size, how, stride)
  local list = {}
  for n = stride, size, stride do
    list[#list + 1] = { name = ("%s when %d bytes were sent"):format(how, n), when = "head",
      expect = "connect",
      script = { WAIT + n, ENDS[how] } }
  end
  return list
end

--- Before the first byte of an answer: libcurl sends again what was lost on a kept connection.
function faults.nothings()
  local list = {}
  for _, how in ipairs { "close", "reset" } do
    local script = { ENDS[how] }
    list[#list + 1] = { name = how .. " of a kept connection", script = script, resent = true, expect = "ok" }
    list[#list + 1] = { name = how .. " of a new connection", script = script, fresh = true,
      expect = "connect" }
    list[#list + 1] = { name = how .. " of every connection", script = script, count = 0, expect = "connect" }
    list[#list + 1] = { name = how .. " before the body was read", script = script, count = 0, when = "head",
      expect = "connect" }
    list[#list + 1] = { name = how .. " on accept", script = script, fresh = true, when = "accept",
      expect = "connect" }
    list[#list + 1] = { name = how .. " of what is kept, before it is used", before = how, expect = "ok" }
  end
  return list
end

local function dripped(bytes)
  local script = {}
  for i = 1, #bytes do
    script[2 * i - 1], script[2 * i] = PAUSE, bytes:sub(i, i)
  end
  return script
end

function faults.drips(good)
  return {
    { name = "one byte at a time", script = dripped(good), gated = true, expect = "ok" },
    { name = "chunks, one byte at a time", script = dripped(faults.chunked(good, "X-Trailer: a\r\n")),
      gated = true,
      expect = "ok" },
    { name = "interim answers, one byte at a time", gated = true, expect = "ok",
      script = dripped("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" ..
        good) },
  }
end

--- Silence at the beginning, at every header line, amid the body, and for want of a length.
function faults.stalls(good)
  local list, place = {}, 1
  local function add(name, bytes)
    list[#list + 1] = { name = name, script = { bytes, PAUSE }, expect = "stall" }
  end
  add("silence", "")
  for first in good:gmatch "()[^\n]*\n" do
    if first > 1 and place then add("silence after byte " .. first - 1, good:sub(1, first - 1)) end
  end
  add("silence one byte before the end", good:sub(1, -2))
  add("no length and no end", framed(good, "", (select(2, faults.split(good)))))
  add("an interim answer and silence", "HTTP/1.1 100 Continue\r\n\r\n")
  add("chunks without an end", (faults.chunked(good):gsub("0\r\n\r\n$", "")))
  return list
end

--- Cancelled after every `stride`-th byte; what was to come still comes, and more.
function faults.cancels(good, stride)
  local list = {}
  for n = 0, #good - 1, stride do
    list[#list + 1] = { name = "cancelled after byte " .. n, cancel = true, after = "maybe",
      expect = "cancelled",
      script = { good:sub(1, n), PAUSE, good:sub(n + 1) .. POISON } }
  end
  return list
end

local function doubles(good)
  return {
    { name = "answered twice in one piece", script = { good .. POISON }, expect = "ok" },
    { name = "answered twice, in chunks", script = { faults.chunked(good) .. POISON }, expect = "ok" },
    { name = "answered twice, one after the other", script = { good, PAUSE, POISON }, after = true,
      expect = "ok" },
    { name = "half of a second answer later", script = { good .. POISON:sub(1, 20), PAUSE, POISON:sub(21) },
      after = "maybe", expect = "ok" },
    { name = "a word on the idle connection, and its end", after = true, expect = "ok",
      script = { good, PAUSE, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", CLOSE } },
    { name = "answered before it was asked", script = { good, READ }, when = "accept", fresh = true,
      expect = "ok" },
    { name = "answered and closed before it was asked", script = { good, CLOSE }, when = "accept",
      fresh = true,
      expect = { "ok", "connect" } },
    { name = "answered before the body was read", script = { good, READ }, when = "head", expect = "ok" },
    { name = "answered and closed before the body was read", script = { good, CLOSE }, when = "head",
      expect = { "ok", "connect" } },
    { name = "answered and reset before the body was read", script = { good, RESET }, when = "head",
      expect = { "ok", "connect" } },
  }
end

local function interims(good)
  local continue, hints = "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
  return {
    { name = "100 Continue", script = { continue .. good }, expect = "ok" },
    { name = "100 Continue five times", script = { continue:rep(5) .. good }, expect = "ok" },
    { name = "103 Early Hints", script = { hints .. good }, expect = "ok" },
    { name = "100 Continue and the end", script = { continue, CLOSE }, expect = "connect" },
    { name = "100 Continue and a reset", script = { continue, RESET }, expect = "connect" },
    { name = "103 Early Hints and the end", script = { hints, CLOSE }, expect = "connect" },
    { name = "100 Continue and half a head", script = { continue .. good:sub(1, 30), CLOSE },
      expect = "connect" },
    { name = "101 Switching Protocols", script = { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      CLOSE },
      expect = { "connect", "protocol" } },
  }
end

local function framings(good)
  local _, body = faults.split(good)
  local function chunks(text)
    return framed(good, "Transfer-Encoding: chunked\r\n", text)
  end
  local function lengths(lines)
    return framed(good, lines, body)
  end
  local size = #body
  return {
    { name = "chunks and trailers", script = { faults.chunked(good, "X-A: b\r\nContent-Length: 1\r\n") },
      expect = "ok" },
    { name = "chunks with extensions", expect = "ok",
      script = { chunks(("%x;a=b;c\r\n%s\r\n0;d\r\n\r\n"):format(size, body)) } },
    { name = "chunks and a length that differs", expect = "ok",
      script = { (faults.chunked(good):gsub("\r\n", "\r\nContent-Length: 3\r\n", 1)) } },
    { name = "chunk size that is no number", script = { chunks "zz\r\nab\r\n0\r\n\r\n", CLOSE },
      expect = "protocol" },
    { name = "negative chunk size", script = { chunks "-2\r\nab\r\n0\r\n\r\n", CLOSE }, expect = "protocol" },
    { name = "endless chunk size", script = { chunks(("f"):rep(40) .. "\r\nab\r\n0\r\n\r\n"), CLOSE },
      expect = "protocol" },
    { name = "chunk longer than it says", script = { chunks "1\r\nabc\r\n0\r\n\r\n", CLOSE },
      expect = "protocol" },
    { name = "length one too large", script = { lengths(("Content-Length: %d\r\n"):format(size + 1)), CLOSE },
      expect = "connect" },
    { name = "negative length", script = { lengths "Content-Length: -5\r\n", CLOSE }, expect = "protocol" },
    { name = "length that is no number", script = { lengths "Content-Length: many\r\n", CLOSE },
      expect = "protocol" },
    { name = "endless length", script = { lengths("Content-Length: " .. ("9"):rep(40) .. "\r\n"), CLOSE },
      expect = { "ok", "connect", "protocol" } },
    { name = "no length, and the end", script = { lengths "", CLOSE }, expect = "ok" },
    { name = "no length, and a reset", script = { lengths "", PAUSE, RESET }, gated = true,
      expect = "connect" },
    { name = "HTTP/1.0 and its end", expect = "ok",
      script = { withStatusLine(lengths "", "HTTP/1.0 200 OK"), CLOSE } },
    { name = "HTTP/1.0, kept", script = { withStatusLine(good, "HTTP/1.0 200 OK") }, expect = "ok" },
    { name = "Connection: close, but kept", script = { withHead(good, "Connection: close\r\n") },
      expect = "ok" },
    { name = "not what its encoding says", script = { withHead(good, "Content-Encoding: gzip\r\n") },
      expect = "protocol" },
  }
end

local function shapes(good)
  return {
    { name = "no status text", script = { withStatusLine(good, "HTTP/1.1 200") }, expect = "ok" },
    { name = "LF alone", script = { (faults.split(good):gsub("\r\n", "\n")) ..
      select(2, faults.split(good)) },
      expect = "ok" },
    { name = "folded lines", script = { withHead(good, "X-Folded: a\r\n b\r\n\tc\r\n") }, expect = "ok" },
    { name = "a folded line first", script = { withHead(good, " b\r\n") }, expect = { "ok", "protocol" } },
    { name = "a blank before the first name", script = { withHead(good, " X-Folded: b\r\n") },
      expect = { "ok", "protocol" } },
    { name = "NUL in a header", script = { withHead(good, "X-Nul: a\0b\r\n"), CLOSE }, expect = "protocol" },
    { name = "a line without a colon", script = { withHead(good, "what is this\r\n") },
      expect = { "ok", "protocol" } },
    { name = "a line without a name", script = { withHead(good, ": b\r\n") }, expect = { "ok", "protocol" } },
    { name = "status of two digits", script = { withStatusLine(good, "HTTP/1.1 20 OK"), CLOSE },
      expect = "protocol" },
    { name = "status of four digits", script = { withStatusLine(good, "HTTP/1.1 2000 OK"), CLOSE },
      expect = { "ok", "protocol" } }, -- some libcurls take the first three
    { name = "status that is no number", script = { withStatusLine(good, "HTTP/1.1 abc OK"), CLOSE },
      expect = "protocol" },
    { name = "status 0", script = { withStatusLine(good, "HTTP/1.1 000 OK"), CLOSE }, expect = "protocol" },
    { name = "HTTP/7.1", script = { withStatusLine(good, "HTTP/7.1 200 OK"), CLOSE }, expect = "protocol" },
    { name = "a mail server", script = { "220 mail.example ESMTP ready\r\n", CLOSE }, expect = "protocol" },
    { name = "a TLS alert", script = { "\21\3\1\0\2\2\70", CLOSE }, expect = "protocol" },
    { name = "noise", script = { ("\0\255\r\n\r\n\7"):rep(1000), CLOSE }, expect = "protocol" },
    { name = "blank lines", script = { ("\r\n"):rep(20), CLOSE }, expect = "protocol" },
    { name = "blank lines first", script = { "\r\n\r\n" .. good }, expect = { "ok", "protocol" } },
    { name = "HTTP/0.9", script = { "<html>hello</html>", CLOSE }, expect = "protocol" },
    { name = "a head of 300 KiB", script = { withHead(good,
      ("X-Long: %s\r\n"):format(("x"):rep(60)):rep(4500)) },
      expect = "protocol" },
  }
end

--- All that is not a matter of single bytes.
function faults.oddities(good)
  local list = {}
  for _, make in ipairs { faults.nothings, doubles, interims, framings, shapes } do
    for _, case in ipairs(make(good)) do list[#list + 1] = case end
  end
  return list
end

return faults
