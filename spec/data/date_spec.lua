-- datasession.date: ABL's dates and times between text, tables and seconds since 1970.
local child = dofile "spec/support/child.lua"
local date = require "datasession.date"

-- Runs a script in a process with that time zone, and returns what it prints.
local function inZone(zone, script)
  child.variables = "TZ=" .. zone
  local ok, output = pcall(child.output, 'local date = require "datasession.date"\n' .. script)
  child.variables = nil
  return assert(ok and output, output)
end

-- The message that a call raises, which must name this file.
local function raised(f, ...)
  local ok, message = pcall(function(...) f(...) end, ...)
  assert.is_false(ok)
  return assert(message:match "date_spec.lua:%d+: (.*)", message)
end

describe("date.parse", function()
  it("reads ABL's three forms", function()
    assert.same({ year = 2024, month = 3, day = 1 }, date.parse "2024-03-01")
    assert.same({ year = 2024, month = 2, day = 29, hour = 23, min = 59, sec = 58, msec = 120 },
      date.parse "2024-02-29T23:59:58.12")
    assert.same({ year = 1999, month = 12, day = 31, hour = 9, min = 30, sec = 0, msec = 0, offset = 330 },
      date.parse "1999-12-31T09:30:00.000+05:30")
  end)

  it("reads every spelling of a zone", function()
    for zone, offset in pairs { Z = 0, z = 0, ["+00:00"] = 0, ["-05:00"] = -300, ["-0530"] = -330,
      ["+02"] = 120, ["-14:00"] = -840 } do
      assert.equal(offset, date.parse("2024-03-01T10:00:00" .. zone).offset)
    end
  end)

  it("gives integers, and drops digits behind the milliseconds", function()
    local t = date.parse "2024-03-01 10:20,98765"
    assert.is_nil(t)
    t = date.parse "2024-03-01 10:20:08,98765"
    assert.same({ 8, 987 }, { t.sec, t.msec })
    assert.equal("integer", math.type(t.msec))
  end)

  it("says what is wrong with a text", function()
    for text, message in pairs {
      ["2023-02-29"] = "expected a day from 1 to 28", ["1900-02-29"] = "expected a day from 1 to 28",
      ["2024-13-01"] = "expected a month from 1 to 12", ["0000-01-01"] = "expected a year from 1 to 9999",
      ["2024-04-31"] = "expected a day from 1 to 30", ["2024-01-01T24:00"] = "expected an hour from 0 to 23",
      ["2024-01-01T10:60"] = "expected a minute from 0 to 59",
      ["2024-01-01T10:00:60"] = "expected a second from 0 to 59",
      ["2024-01-01T10:00+14:01"] = "expected an offset from -840 to 840 minutes",
    } do
      local t, why = date.parse(text)
      assert.is_nil(t)
      assert.equal(message, why)
    end
    for _, text in ipairs {
      "", "2024-1-1", "01/02/2024", "2024-01-01T", "2024-01-01T10", "2024-01-01T10:00:0",
      "2024-01-01T10:00:00+1", "2024-01-01T10:00:00+01:60x", "2024-01-01x", "2024-01-01T10:00:00 CET",
    } do
      local t, why = date.parse(text)
      assert.is_nil(t, text)
      assert.matches("expected a date as 2024%-03%-01", why)
    end
    assert.equal("date.parse: expected a string, got number", raised(date.parse, 20240301))
  end)
end)

describe("date.toEpoch and date.fromEpoch", function()
  it("count from 1970 UTC by the offset of the value", function()
    assert.equal(1709269199.999, date.toEpoch "2024-02-29T23:59:59.999-05:00")
    assert.equal(-1, date.toEpoch "1969-12-31T23:59:59Z")
    assert.equal("integer", math.type(date.toEpoch "2024-02-29T23:59:59+02:00"))
    assert.equal(date.toEpoch "2024-01-01T12:00:00Z", date.toEpoch "2024-01-01T17:30:00+05:30")
    assert.equal(date.toEpoch "2024-01-01T12:00:00Z", date.toEpoch "2024-01-01T04:00:00-08:00")
  end)

  it("agree with the system's calendar, leap years and all", function()
    for year = 1, 9999, 37 do
      for _, monthDay in ipairs { "-01-01", "-02-28", "-03-01", "-12-31" } do
        local text = ("%04d%sT23:59:59.000+00:00"):format(year, monthDay)
        local seconds = date.toEpoch(text)
        assert.equal(monthDay .. " 23:59:59", os.date("!-%m-%d %H:%M:%S", seconds))
        assert.equal(text, date.format(date.fromEpoch(seconds, 0)))
      end
    end
  end)

  it("tell a time in any zone", function()
    assert.equal("2024-03-01T05:30:00.250+05:30", date.format(date.fromEpoch(1709251200.25, 330)))
    assert.equal("2024-02-29T19:00:00.000-05:00", date.format(date.fromEpoch(1709251200, -300)))
    assert.equal("2024-03-01T00:00:01.000+00:00", date.format(date.fromEpoch(1709251200.9999, 0)))
  end)

  it("take the time zone of the process, summer and winter, for a value without one", function()
    local script = [[
      for _, text in ipairs { "2024-01-15T12:00:00", "2024-07-15T12:00:00", "2024-07-15" } do
        local seconds = date.toEpoch(text)
        print(seconds, date.format(date.fromEpoch(seconds)))
      end
      print(date.toEpoch "2024-07-15T12:00:00Z", date.toEpoch("2024-07-15T12:00:00", 60))]]
    for zone, expected in pairs {
      ["America/New_York"] = { 1705338000, "2024-01-15T12:00:00.000-05:00", 1721059200,
        "2024-07-15T12:00:00.000-04:00", 1721016000, "2024-07-15T00:00:00.000-04:00", 1721044800,
        1721041200 },
      ["Europe/Berlin"] = { 1705316400, "2024-01-15T12:00:00.000+01:00", 1721037600,
        "2024-07-15T12:00:00.000+02:00", 1720994400, "2024-07-15T00:00:00.000+02:00", 1721044800,
        1721041200 },
      ["Asia/Kathmandu"] = { 1705299300, "2024-01-15T12:00:00.000+05:45", 1721024100,
        "2024-07-15T12:00:00.000+05:45", 1720980900, "2024-07-15T00:00:00.000+05:45", 1721044800,
        1721041200 },
    } do
      assert.equal(table.concat(expected, " "), (inZone(zone, script):gsub("%s+", " "):gsub(" $", "")))
    end
  end)

  it("refuse what is no date, at the caller's line", function()
    for _, call in ipairs {
      { date.toEpoch, "2024-02-30", "date.toEpoch: expected a day from 1 to 29" },
      { date.toEpoch, { year = 2024, month = 2 }, "date.toEpoch: expected a day from 1 to 29" },
      { date.toEpoch, true, "date.toEpoch: expected a date (a table), a text or seconds, got boolean" },
      { date.fromEpoch, "1", "date.fromEpoch: expected a number, got string" },
      { date.fromEpoch, 1e15, "date.fromEpoch: expected seconds since 1970, of a year from 1 to 9999" },
      { date.fromEpoch, 0 / 0, "date.fromEpoch: expected seconds since 1970, of a year from 1 to 9999" },
      { date.now, 900, "date.now: expected an offset from -840 to 840 minutes" },
    } do
      assert.equal(call[3], raised(call[1], call[2]))
    end
  end)
end)

describe("date.format", function()
  it("writes the type that the value has, or the one that is asked for", function()
    local t = date.parse "2024-03-01T09:30:00.5+01:00"
    assert.equal("2024-03-01T09:30:00.500+01:00", date.format(t))
    assert.equal("2024-03-01T09:30:00.500", date.format(t, "DATETIME"))
    assert.equal("2024-03-01", date.format(t, "date"))
    assert.equal("2024-03-01", date.format { year = 2024, month = 3, day = 1 })
    assert.equal("2024-03-01T00:00:00.000", date.format("2024-03-01", "DATETIME"))
    local halfPastNine = { year = 2024, month = 3, day = 1, hour = 9, min = 30 }
    assert.equal("2024-03-01T09:30:00.000", date.format(halfPastNine))
  end)

  it("keeps its clock where zones had odd seconds", function()
    local script = [[
      for _, text in ipairs { "1930-05-01", "1850-01-01", "0001-01-01" } do
        io.write(date.format(date.toEpoch(text), "DATETIME"), " ")
      end]]
    for _, zone in ipairs { "Europe/Amsterdam", "America/New_York", "Asia/Kolkata" } do
      assert.equal("1930-05-01T00:00:00.000 1850-01-01T00:00:00.000 0001-01-01T00:00:00.000 ",
        inZone(zone, script))
    end
  end)

  it("refuses numbers that are texts", function()
    assert.error_matches(function() date.format { year = "2024", month = "1", day = "1" } end,
      "expected a year from 1 to 9999")
  end)

  it("gives a DATETIME-TZ without a zone that of the process", function()
    local script = [[io.write(date.format("2024-07-15T12:00:00", "DATETIME-TZ"), " ", date.format(0))]]
    assert.equal("2024-07-15T12:00:00.000-04:00 1969-12-31T19:00:00.000-05:00",
      inZone("America/New_York", script))
    assert.equal("2024-07-15T12:00:00.000+02:00 1970-01-01T01:00:00.000+01:00",
      inZone("Europe/Berlin", script))
  end)

  it("names the nearest type for an unknown one", function()
    assert.equal("date.format: unknown type 'DATETIM': did you mean 'DATETIME'?",
      raised(date.format, "2024-03-01", "DATETIM"))
  end)

  it("writes now and today as os.date has them", function()
    assert.equal(os.date "%Y-%m-%d", date.format(date.today()))
    assert.is_true(math.abs(date.toEpoch(date.now(-420)) - os.time()) < 60)
  end)
end)
