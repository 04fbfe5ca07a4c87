--- Dates and times as ABL has them, DATE, DATETIME and DATETIME-TZ: between their JSON text, tables and
-- seconds since 1970 UTC.
--
-- A date is a table with integers: `year` (1 to 9999), `month`, `day`; with a time also `hour`, `min`, `sec`
-- and `msec`; with a zone also `offset`, the minutes that its clocks are ahead of UTC: 120 in Berlin in
-- summer, -300 in New York in winter. These are the names of os.date and os.time, so their tables fit.
--
-- A date without an offset is local: in the time zone of the process, unless the caller names an offset.
local ascii = require "datasession.internal.ascii"
local raise = require "datasession.internal.raise"
local suggest = require "datasession.internal.suggest"
local math = require("datasession.internal.lua").math

local floor, format = math.floor, string.format

local MONTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local DAY = 24 * 60 * 60                    -- seconds
local FARTHEST = 14 * 60                    -- minutes of a zone: ABL's limit, and the world's
local TYPES = { "DATE", "DATETIME", "DATETIME-TZ" }

local date = {}

-- ---- the calendar

local function daysIn(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or MONTHS[month]
end

local function div(a, b) return math.floor(a / b) end

-- Days from 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that a leap day is
-- the last of its year.
local function daysFrom1970(year, month, day)
  if month < 3 then year, month = year - 1, month + 12 end
  return 365 * year + div(year, 4) - div(year, 100) + div(year, 400) + div(153 * (month - 3) + 2, 5) + day
    - 719469
end

-- The reverse: year, month, day.
local function dateOf(days)
  days = days + 719468
  local era = div(days, 146097)
  local rest = days % 146097
  local year = div(rest - div(rest, 1460) + div(rest, 36524) - div(rest, 146096), 365)
  local dayOfYear = rest - (365 * year + div(year, 4) - div(year, 100))
  local month = div(5 * dayOfYear + 2, 153)
  local day = dayOfYear - div(153 * month + 2, 5) + 1
  month = month < 10 and month + 3 or month - 9
  return year + era * 400 + (month < 3 and 1 or 0), month, day
end

-- ---- checks

local function inRange(value, least, most)
  value = type(value) == "number" and math.tointeger(value)
  return value and value >= least and value <= most
end

--- nil if the table is a date, else what is wrong with it.
local function mistake(t)
  if not inRange(t.year, 1, 9999) then return "expected a year from 1 to 9999" end
  if not inRange(t.month, 1, 12) then return "expected a month from 1 to 12" end
  if not inRange(t.day, 1, daysIn(t.year, t.month)) then
    return format("expected a day from 1 to %d", daysIn(t.year, t.month))
  end
  if not inRange(t.hour or 0, 0, 23) then return "expected an hour from 0 to 23" end
  if not inRange(t.min or 0, 0, 59) then return "expected a minute from 0 to 59" end
  if not inRange(t.sec or 0, 0, 59) then return "expected a second from 0 to 59" end
  if not inRange(t.msec or 0, 0, 999) then return "expected a millisecond from 0 to 999" end
  if not inRange(t.offset or 0, -FARTHEST, FARTHEST) then
    return format("expected an offset from -%d to %d minutes", FARTHEST, FARTHEST)
  end
end

local function checkOffset(name, offset, level)
  if offset ~= nil and not inRange(offset, -FARTHEST, FARTHEST) then
    raise(format("date.%s: expected an offset from -%d to %d minutes", name, FARTHEST, FARTHEST), level + 1)
  end
end

-- ---- text in

local function integer(digits) return math.tointeger(tonumber(digits)) end

--- The offset that a zone's text means, in minutes; nil when it is none.
local function parseZone(text)
  if text == "Z" or text == "z" then return 0 end
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d%d)$"
  if not sign then sign, hours, minutes = text:match "^([+-])(%d%d)()$" end
  if not sign then return nil end
  minutes = #text > 3 and minutes or "0"
  if integer(minutes) > 59 then return nil end
  local offset = integer(hours) * 60 + integer(minutes)
  return sign == "-" and -offset or offset
end

--- Puts the time that the text tells into a date. False when it is no time.
local function parseTime(text, t)
  local hour, min, rest = text:match "^[Tt ](%d%d):(%d%d)(.*)$"
  if not hour then return false end
  local sec, fraction = "0", ""
  if rest:find "^:" then
    sec, rest = rest:match "^:(%d%d)(.*)$"
    if not sec then return false end
    if rest:find "^[.,]%d" then fraction, rest = rest:match "^[.,](%d+)(.*)$" end
  end
  t.hour, t.min, t.sec = integer(hour), integer(min), integer(sec)
  t.msec = integer((fraction .. "000"):sub(1, 3))
  if rest == "" then return true end
  t.offset = parseZone(rest)
  return t.offset ~= nil
end

--- Reads a date as JSON has it: "2024-03-01", "2024-03-01T09:30:00.000", "2024-03-01T09:30:00.000+01:00".
-- Seconds and their fraction may be missing; digits behind the milliseconds are dropped. A zone is "Z",
-- "+01:00", "+0100" or "+01".
-- @param text string; raises for another type
-- @return the date, a table: with a time if the text has one, with an offset if it has a zone; or nil and a
--   message
function date.parse(text)
  if type(text) ~= "string" then
    raise(format("date.parse: expected a string, got %s", type(text)), 2)
  end
  local year, month, day, time = text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$"
  local t = year and { year = integer(year), month = integer(month), day = integer(day) }
  if not t or time ~= "" and not parseTime(time, t) then
    return nil, "expected a date as 2024-03-01, 2024-03-01T09:30:00.000 or 2024-03-01T09:30:00.000+01:00"
  end
  local wrong = mistake(t)
  if wrong then return nil, wrong end
  return t
end

-- ---- seconds since 1970 UTC

local function secondsOf(t)
  return daysFrom1970(t.year, t.month, t.day) * DAY + (t.hour or 0) * 3600 + (t.min or 0) * 60 + (t.sec or 0)
end

local function split(seconds)
  local days, rest = div(seconds, DAY), seconds % DAY
  local t = {}
  t.year, t.month, t.day = dateOf(days)
  t.hour, t.min, t.sec = div(rest, 3600), div(rest % 3600, 60), rest % 60
  return t
end

--- The seconds of a local date, in the time zone of the process. nil: the system cannot tell. Zones had odd
-- seconds once, which an offset drops: they are dropped here, too, so that a date keeps its clock.
local function localSeconds(t)
  local ok, seconds = pcall(os.time, { year = t.year, month = t.month, day = t.day, hour = t.hour or 0,
    min = t.min or 0, sec = t.sec or 0 })
  return ok and seconds + (secondsOf(t) - seconds) % 60 or nil
end

--- The offset of the process's time zone at a time, in minutes. Zones had odd seconds once: they are dropped.
local function localOffset(seconds)
  local ok, t = pcall(os.date, "*t", seconds)
  return ok and div(secondsOf(t) - seconds, 60) or 0
end

local function checkedTable(name, value, level)
  if type(value) == "string" then
    local t, message = date.parse(value)
    if not t then raise(format("date.%s: %s", name, message), level + 1) end
    return t
  end
  if type(value) ~= "table" then
    raise(format("date.%s: expected a date (a table), a text or seconds, got %s", name, type(value)),
      level + 1)
  end
  local wrong = mistake(value)
  if wrong then raise(format("date.%s: %s", name, wrong), level + 1) end
  return value
end

--- The seconds from 1970-01-01T00:00:00Z to a date, negative before it.
-- @param value table or text. A DATE without a time is its midnight
-- @param offset integer, optional: the zone of a value that has none, in minutes ahead of UTC. By default
--   the time zone of the process
-- @return integer; a float when there are milliseconds. Raises for a value that is no date
function date.toEpoch(value, offset)
  local t = checkedTable("toEpoch", value, 2)
  checkOffset("toEpoch", offset, 2)
  local zone = t.offset or offset
  local seconds = zone and secondsOf(t) - math.tointeger(zone) * 60 or localSeconds(t) or secondsOf(t)
  seconds = math.tointeger(seconds)
  return (t.msec or 0) > 0 and seconds + t.msec / 1000 or seconds
end

local FIRST, LAST = daysFrom1970(1, 1, 1) * DAY, daysFrom1970(10000, 1, 1) * DAY

local function tableAt(seconds, offset)
  local whole = floor(seconds)
  local zone = math.tointeger(offset or localOffset(whole))
  local msec = floor((seconds - whole) * 1000 + 0.5)
  if msec == 1000 then return tableAt(whole + 1, offset) end
  local t = split(whole + zone * 60)
  t.msec, t.offset = msec, zone
  return t
end

--- As tableAt; raises for a number that is no date.
local function checkedTableAt(name, seconds, offset, level)
  checkOffset(name, offset, level + 1)
  local t = seconds >= FIRST - DAY and seconds < LAST + DAY and tableAt(seconds, offset)
  if not t or t.year < 1 or t.year > 9999 then
    raise(format("date.%s: expected seconds since 1970, of a year from 1 to 9999", name), level + 1)
  end
  return t
end

--- The date and the time at a number of seconds since 1970-01-01T00:00:00Z.
-- @param seconds number, rounded to milliseconds
-- @param offset integer, optional: the zone to tell it in, in minutes ahead of UTC. By default the time zone
--   of the process
-- @return table, with time and offset. Raises for another type and for years that are not 1 to 9999
function date.fromEpoch(seconds, offset)
  if type(seconds) ~= "number" then
    raise(format("date.fromEpoch: expected a number, got %s", type(seconds)), 2)
  end
  local t = checkedTableAt("fromEpoch", seconds, offset, 2)
  return t
end

--- The date and the time now, to the second.
-- @param offset integer, optional: as for fromEpoch
-- @return table, with time and offset
function date.now(offset)
  checkOffset("now", offset, 2)
  return tableAt(os.time(), offset)
end

--- Today's date, in the time zone of the process.
-- @return table without a time
function date.today()
  local t = tableAt(os.time())
  return { year = t.year, month = t.month, day = t.day }
end

-- ---- text out

local function dateText(t) return format("%04d-%02d-%02d", t.year, t.month, t.day) end

local function timeText(t)
  return format("%sT%02d:%02d:%02d.%03d", dateText(t), t.hour or 0, t.min or 0, t.sec or 0, t.msec or 0)
end

local function zoneText(offset)
  local ahead = math.abs(offset)
  return format("%s%02d:%02d", offset < 0 and "-" or "+", div(ahead, 60), ahead % 60)
end

local writers = { ["DATE"] = dateText, ["DATETIME"] = timeText }

--- A date that tells no zone gets that of the process.
writers["DATETIME-TZ"] = function(t)
  return timeText(t) .. zoneText(t.offset or localOffset(localSeconds(t) or secondsOf(t)))
end

local function typeOf(t)
  return t.offset and "DATETIME-TZ" or (t.hour or t.min or t.sec or t.msec) and "DATETIME" or "DATE"
end

local function writerOf(name)
  local writer = type(name) == "string" and writers[ascii.upper(name)]
  if not writer then raise("date.format: " .. suggest.unknown("type", name, TYPES), 3) end
  return writer
end

--- The text of a date, as ABL reads it from JSON: "2024-03-01" for a DATE, "2024-03-01T09:30:00.000" for a
-- DATETIME, "2024-03-01T09:30:00.000+01:00" for a DATETIME-TZ. Nothing is converted to another zone: a DATE
-- and a DATETIME tell the clock of the value's own zone.
-- @param value table, text, or seconds since 1970 UTC, which are told in the time zone of the process
-- @param ablType "DATE", "DATETIME" or "DATETIME-TZ", in any case; by default what the value is: a
--   DATETIME-TZ if it has an offset, a DATETIME if it has a time, else a DATE
-- @return string. Raises for a value that is no date, and for another type
function date.format(value, ablType)
  if type(value) == "number" then value = checkedTableAt("format", value, nil, 2) end
  local t = checkedTable("format", value, 2)
  return writerOf(ablType == nil and typeOf(t) or ablType)(t)
end

return date
