--- Protects the tokens of a JSON text that a lua-cjson would damage.
--
-- A long integer becomes a marked string, an empty array an array that holds a mark. The meaning of each mark
-- is kept beside the text. The mark is a byte that UTF-8 never uses and that the text does not contain. No
-- string of a document can be mistaken for a mark, since escapes never decode to such a byte. This file knows
-- tokens and strings, but no grammar and no codec.

local byte, find, match, sub = string.byte, string.find, string.match, string.sub
local concat = table.concat

local SPACE = "[ \t\r\n]*"

local guard = {}

--- Bytes that occur in no UTF-8 text.
guard.MARKS = {
  "\255", "\254", "\253", "\252", "\251", "\250", "\249", "\248", "\247", "\246", "\245", "\193", "\192",
}

--- In a table of marks: "an empty array stood here".
guard.EMPTY = {}

local MARKS, EMPTY = guard.MARKS, guard.EMPTY

--- True if a value may end just before `at`: what follows ends an element or the text.
local function endsValue(text, at)
  return find(text, "^" .. SPACE .. "[,%]}]", at) or find(text, "^" .. SPACE .. "$", at)
end

--- A finder of empty arrays: the first and last position of the next one at or after `at`, or nil.
function guard.nextEmptyArray(text, at)
  local from = find(text, "[", at, true)
  while from do
    local to = match(text, "^" .. SPACE .. "()%]", from + 1)
    if to and endsValue(text, to + 1) then return from, to end
    from = find(text, "[", from + 1, true)
  end
end

local BEFORE_VALUE = { [byte("[")] = true, [byte(",")] = true, [byte(":")] = true,
  [byte(" ")] = true, [byte("\t")] = true, [byte("\r")] = true, [byte("\n")] = true }

--- The integer token whose digits stand at `from` to `to`: its first position, with the sign;
-- nil when the digits belong to a fraction, to an exponent, to a string, or are no JSON number.
local function integerStart(text, from, to)
  if byte(text, from) == 48 then return nil end      -- a leading 0: left for the codec to refuse
  local start = byte(text, from - 1) == 45 and from - 1 or from
  local before = start > 1 and byte(text, start - 1)
  return (not before or BEFORE_VALUE[before]) and endsValue(text, to + 1) and start or nil
end

--- A finder of the integer tokens of `digits` digits or more. A run of that many covers a multiple
-- of it, so that one byte in `digits` is looked at: much faster than a pattern.
function guard.longIntegerFinder(digits)
  return function(text, at)
    local size, i = #text, at + digits - 1
    while i <= size do
      local b = byte(text, i)
      if b >= 48 and b <= 57 then
        local from, _, to = i, find(text, "^%d+", i)
        while from > at and find(text, "^%d", from - 1) do from = from - 1 end
        local start = to - from + 1 >= digits and integerStart(text, from, to)
        if start then return start, to end
        i = to
      end
      i = i + digits
    end
  end
end

--- The quote that closes the string opened at `open`; a position past the text when there is none.
local function closingQuote(text, open)
  local close = open
  repeat
    close = find(text, '"', close + 1, true)
    if not close then return #text + 1 end
    local slash = close
    while byte(text, slash - 1) == 92 do slash = slash - 1 end
  until (close - slash) % 2 == 0
  return close
end

--- A function that returns, for a position in a string, the position after that string, else nil. Call it
-- with ascending positions.
function guard.stringTracker(text)
  local open = find(text, '"', 1, true)
  return function(position)
    while open and open < position do
      local close = closingQuote(text, open)
      if close > position then return close + 1 end
      open = find(text, '"', close + 1, true)
    end
  end
end

--- The replacement of a token, with its meaning noted in `marks`. An empty array stays an array, so
-- that the codec counts its levels right.
local function guarded(token, mark, marks)
  if byte(token) == 91 then
    marks[mark] = EMPTY
    return '["' .. mark .. '"]'
  end
  marks[mark .. token] = tonumber(token)
  return '"' .. mark .. token .. '"'
end

--- Replaces the tokens that `nextToken` finds: a number by a string that begins with `mark`, an
-- empty array by one that holds `mark`.
--
-- Only when `careful` are the strings of the text stepped over: that costs more than decoding it.
-- Without it a mistake cannot pass unseen: what looks like a token within a string puts a quote
-- there, which ends the string, and the mark right behind the quote is a syntax error.
local function replaceTokens(text, nextToken, marks, mark, careful)
  local from, to = nextToken(text, 1)
  if not from then return text end
  local out, n, copied = {}, 0, 1
  local afterString = careful and guard.stringTracker(text)
  while from do
    local skipTo = careful and afterString(from)
    if not skipTo then
      out[n + 1] = sub(text, copied, from - 1)
      out[n + 2] = guarded(sub(text, from, to), mark, marks)
      n, copied, skipTo = n + 2, to + 1, to + 1
    end
    from, to = nextToken(text, skipTo)
  end
  out[n + 1] = sub(text, copied)
  return concat(out)
end

--- A mark that does not occur in the text; nil when all do, which no UTF-8 text can.
local function freeMark(text)
  for i = 1, #MARKS do
    if not find(text, MARKS[i], 1, true) then return MARKS[i] end
  end
end

--- Protects the tokens that the finders find.
-- @param text string, JSON
-- @param finders array of functions (text, at) -> first, last position of a token, or nil
-- @param careful boolean: step over the strings of the text. Without it the result may be a text
--   that is no JSON, for a text that is: to be tried first, since it costs a fraction
-- @return the text, and a table of what its marks stand for (nil when there are none); or nil when
--   the text is not UTF-8 in so many ways that no mark is free
function guard.protect(text, finders, careful)
  if #finders == 0 then return text end
  local mark, marks = freeMark(text), {}
  if not mark then return nil end
  local result = text
  for i = 1, #finders do
    result = replaceTokens(result, finders[i], marks, mark, careful)
  end
  if next(marks) == nil then return text end
  return result, marks
end

return guard
