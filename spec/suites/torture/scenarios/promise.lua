-- Promises, coroutines and the loop without a server; events.
return {
  {
    name = "promise chains",
    act = function(t, c)
      c.told = 0
      local settle
      local first = t.datasession.newPromise(function(resolve) settle = resolve end)
      local last = first
      for i = 1, 5 do
        last = last:next(function(value)
          if i == 3 then return t.datasession.newPromise(function(resolve) resolve(value + 1) end) end
          return value + 1
        end)
      end
      last:done(function() c.told = c.told + 1 end):always(function() c.told = c.told + 1 end)
      settle(1)
      assert(last:await() == 6)
      t.datasession.run()
      assert(c.told == 2)
    end,
  },
  {
    name = "rejected promise",
    act = function(t, c)
      c.told = nil
      local before = t.datasession.onError(function(err) c.told = err end)
      t.datasession.newPromise(function(_, reject) reject "no" end)
      t.datasession.newPromise(function() error "raised" end):fail(function() error { "in a handler" } end)
      local failed = t.datasession.newPromise(function(_, reject) reject { a = 1 } end)
      local ok, err = failed:next(nil, function(e) error(e) end):await()
      assert(not ok and err)
      t.datasession.run()
      t.datasession.onError(before)
    end,
    again = function(t)
      t.datasession.onError(function() end)
      assert(not t.datasession.newPromise(function(_, reject) reject "no" end):await())
      t.datasession.onError(function() end)
    end,
  },
  {
    name = "sleep, after and every",
    act = function(t, c)
      c.ticks = 0
      local ticking = t.datasession.every(0.0001, function()
        c.ticks = c.ticks + 1
        return c.ticks < 2
      end)
      local later = t.datasession.after(0, function() return "later" end)
      local dropped = t.datasession.after(0.01, function() end)
      local sleeper = t.datasession.spawn(function()
        coroutine.yield()
        t.datasession.nextStep()
        t.datasession.sleep(0.0001)
        return "slept"
      end)
      dropped:cancel()
      assert(sleeper:await() == "slept" and later:await() == "later" and ticking:await())
    end,
  },
  {
    name = "all, any, race, settled and map",
    act = function(t)
      local function later(value) return t.datasession.after(0, function() return value end) end
      local function failing() return t.datasession.after(0, function() error "no" end) end
      assert(assert(t.datasession.all({ later(1), 2 }):await())[1] == 1)
      assert(t.datasession.any({ failing(), later(3) }):await() == 3)
      assert(t.datasession.race({ later(4) }):await() == 4)
      assert(assert(t.datasession.settled({ failing(), later(5) }):await())[2].value == 5)
      local doubled = assert(t.datasession.map({ 1, 2, 3 }, function(item)
        t.datasession.nextStep()
        return item * 2
      end, { limit = 2 }):await())
      assert(doubled[3] == 6)
    end,
  },
  {
    name = "spawn",
    act = function(t, c)
      c.closed = 0
      local function guarded(value, depth)
        local _ <close> = setmetatable({}, { __close = function() c.closed = c.closed + 1 end })
        if depth == 0 then return value end
        return assert(t.datasession.spawn(guarded, value, depth - 1):await())
      end
      assert(t.datasession.spawn(guarded, "value", 4):await() == "value")
      assert(c.closed == 5)
    end,
  },
  {
    name = "spawn cancelled",
    act = function(t, c)
      c.closed = false
      local never = t.datasession.newPromise(function() end)
      c.waiting = t.datasession.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() c.closed = true end })
        never:await(1)
      end)
      t.datasession.step()
      assert(c.waiting:cancel() and c.closed)
      assert(not c.waiting:await())
      never:cancel()
    end,
    quiet = function(t) t.datasession.step() end,
    again = function(t)
      local waiting = t.datasession.spawn(function() t.datasession.newPromise(function() end):await() end)
      assert(waiting:cancel())
    end,
  },
  {
    name = "a coroutine of another library",
    prepare = function(t) return { session = t.loggedIn "anonymous" } end,
    act = function(t, c)
      local before = t.datasession.setAwait(function(promise) return coroutine.yield(promise) end)
      local other = coroutine.create(function() return c.session:ping():await() end)
      local ok, promise = coroutine.resume(other)
      t.datasession.setAwait(before)
      assert(ok, promise)
      assert(promise:await())
      assert(coroutine.resume(other))
    end,
    quiet = function(t) t.datasession.setAwait(nil) end,
  },
  {
    name = "handlers that wait",
    prepare = function(t) return { session = t.loggedIn "anonymous" } end,
    act = function(t, c)
      local seen
      c.session:ping():done(function(session) seen = session:ping():await() end)
      t.datasession.run(t.LIMIT)
      assert(seen, "the handler did not get through")
    end,
  },
  {
    name = "the loop",
    prepare = function(t) return { session = t.loggedIn "anonymous" } end,
    act = function(t, c)
      local promise = c.session:ping()
      assert(t.datasession.pending())
      t.datasession.timeout()
      t.datasession.pollfd()
      local engine = t.datasession.engine
      assert(tostring(engine) and engine:events() and engine:getfd())
      engine:timeout()
      engine:pollfd()
      engine:dirty()
      engine:step(0.01)
      engine:run(5)
      assert(promise:await())
      assert(tostring(promise) and t.datasession.version().curl and t.datasession.sessions()[1])
    end,
  },
  {
    name = "events",
    prepare = function(t) return { session = t.loggedIn "form" } end,
    act = function(t, c)
      local heard = {}
      local function on(_, reason) heard[#heard + 1] = reason or "online" end
      local scope = {}
      c.session:subscribe("online", on)
      c.session:subscribe("offline", on)
      c.session:subscribe("offline", on, scope)
      t.datasession.setDeviceOnline(false)
      t.datasession.step()
      t.datasession.setDeviceOnline(true)
      t.datasession.step()
      assert(c.session:ping():await())
      c.session:unsubscribe("offline", on, scope)
      c.session:unsubscribeAll "online"
      c.session:unsubscribeAll()
    end,
    quiet = function(t) t.datasession.setDeviceOnline(true) end,
  },
  {
    name = "events of many handlers",
    prepare = function(t) return { session = t.loggedIn "form" } end,
    act = function(t, c)
      local handlers, heard = {}, {}
      for i = 1, 40 do
        handlers[i] = function() heard[#heard + 1] = i end
        c.session:subscribe("offline", handlers[i])
      end
      for i = 1, 36 do c.session:unsubscribe("offline", handlers[i]) end
      c.session:subscribe("offline", handlers[37])
      c.session:subscribe("offline", handlers[37], heard)
      t.datasession.setDeviceOnline(false)
      t.datasession.run(t.LIMIT)
      t.datasession.setDeviceOnline(true)
      assert(table.concat(heard, " ") == "38 39 40 37 37", "other handlers were told")
      for i = 37, 40 do c.session:unsubscribe("offline", handlers[i]) end
    end,
    quiet = function(t, c)
      t.datasession.setDeviceOnline(true)
      c.session:unsubscribeAll()
    end,
  },
  {
    name = "events of a lost server",
    prepare = function(t)
      t.server:setApplication("anonymous", true)
      local c = { session = t.loggedIn "anonymous", heard = 0 }
      c.session:subscribe("offline", function() c.heard = c.heard + 1 end)
      c.session:subscribe("online", function() c.heard = c.heard + 100 end)
      return c
    end,
    act = function(t, c)
      t.server:setApplication("anonymous", false)
      c.session:ping():await()
      t.server:setApplication("anonymous", true)
      assert(c.session:ping():await())
      t.datasession.run(t.LIMIT)
    end,
    quiet = function(t) t.server:setApplication("anonymous", true) end,
    check = function(_, c) assert(c.heard % 100 <= 4 and c.heard // 100 <= 4, "events were told too often")
      end,
  },
}
